import type pg from 'pg';
import { noStateRoot } from '../../domain/commitment.ts';
import { type ApiKeyHash, type Head, type Sequence, type StoreKey, type World } from '../../domain/types.ts';
import type { AppendBatch, Claim } from '../../storage/event-log.ts';
import { outcomeOfMissed } from '../../storage/postgres/append-flush.ts';
import { AppendEncoder } from '../../storage/postgres/queries/append.query.ts';
import { claimExisting } from '../../storage/postgres/queries/claim.query.ts';
import { fenceRows } from '../../storage/postgres/queries/fence-rows.query.ts';
import { findAgentKey } from '../../storage/postgres/queries/find-agent-key.query.ts';
import { findApiKey } from '../../storage/postgres/queries/find-api-key.query.ts';
import { insertAgentKey } from '../../storage/postgres/queries/insert-agent-key.query.ts';
import { insertApiKey } from '../../storage/postgres/queries/insert-api-key.query.ts';
import { addCommitments } from '../../storage/postgres/queries/add-commitments.query.ts';
import { insertCommitment } from '../../storage/postgres/queries/insert-commitment.query.ts';
import { lockChain, startChain } from '../../storage/postgres/queries/lock-chain.query.ts';
import { type ChainView, readChains } from '../../storage/postgres/queries/read-chains.query.ts';
import { revokeAgentKey } from '../../storage/postgres/queries/revoke-agent-key.query.ts';
import { revokeApiKey } from '../../storage/postgres/queries/revoke-api-key.query.ts';
import { PostgresCommitmentLog } from '../../storage/postgres/postgres-commitment-log.ts';
import { send } from '../../storage/postgres/query.ts';
import { rowTypes } from '../../storage/postgres/row-types.ts';
import { batchOf, checkLog, newStore, randomEvent, randomId, sha256 } from '../support/event-log.ts';
import { fillStream } from '../support/fill-stream.ts';
import { interleavings, runInterleaved, type Step } from '../support/interleavings.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type OpenedLog, openTestLog } from '../support/postgres-event-log.ts';

/**
 * Two sessions run the product's own statements, step by step, in every order. An append is one statement that commits
 * by itself; here its end is a step of its own, so that the others also meet it half done. `locked` means that the
 * statement passed over a row that someone else holds; the lane sends it again then.
 */
let database: TestDatabase;
let opened: OpenedLog;

beforeAll(async () => {
  database = await createTestDatabase();
  opened = await openTestLog(database.url, { appendConnections: 1 });
});

afterAll(async () => {
  await opened.close();
  await database.drop();
});

/** A claimed store with one event, and what is to be appended to it next. */
async function openStore() {
  const store = newStore();
  const claim = await opened.log.claim(store, 'owner');
  const first = randomEvent();
  await opened.log.append(batchOf(claim, 0, [first]));
  return { store, claim, first };
}

/** Two steps: the statement in a transaction of its own, and its end with what came of it. */
function append(name: string, batch: AppendBatch): Step[] {
  let isAppended = false;
  let failure: pg.DatabaseError | null = null;
  return [
    {
      name: `${name}1`,
      async run(client) {
        const newHeads = {
          legacy: (batch.expectedHeads.legacy + batch.legacy.length) as Head,
          ves: batch.expectedHeads.ves,
        };
        const statement = new AppendEncoder().encode([{ batch, newHeads, payloadKeyNumber: null }]);
        await client.query('begin');
        try {
          const { rows } = await client.query({ ...statement, types: rowTypes });
          isAppended = rows.length === 1;
        } catch (error) {
          failure = error as pg.DatabaseError;
        }
        return undefined;
      },
    },
    {
      name: `${name}2`,
      async run(client) {
        await client.query(failure === null ? 'commit' : 'rollback');
        if (failure !== null) return failure.code === '23505' ? 'conflict' : failure.message;
        if (isAppended) return 'appended';
        const [row] = await send(client, fenceRows, [batch.claim.storeNumber]);
        const outcome = outcomeOfMissed({ batch }, row);
        return outcome === null ? 'locked' : 'kind' in outcome ? outcome.kind : String(outcome);
      },
    },
  ];
}

/** Two events that someone adds to the signed ones, by SQL; its end is a step of its own. */
function appendSigned(name: string, store: StoreKey): Step[] {
  return [
    {
      name: `${name}1`,
      async run(client) {
        await client.query('begin');
        await fillStream(client, { ...store, world: 'ves' }, 2);
        return undefined;
      },
    },
    {
      name: `${name}2`,
      async run(client) {
        await client.query('commit');
        return 'appended';
      },
    },
  ];
}

function claim(name: string, store: StoreKey): Step[] {
  let found: Claim | undefined;
  return [
    {
      name: `${name}1`,
      async run(client) {
        await client.query('begin');
        [found] = await send(client, claimExisting, [{ store, claimant: name }] as never);
        return undefined;
      },
    },
    {
      name: `${name}2`,
      async run(client) {
        await client.query('commit');
        return `epoch ${found!.epoch}, head ${found!.heads.legacy}`;
      },
    },
  ];
}

/** Commits what the snapshot shows, unless something is committed. */
function commitment(name: string, store: StoreKey, world: World = 'legacy'): Step[] {
  let last = 0;
  let storeNumber = 0;
  return [
    {
      name: `${name}1`,
      async run(client) {
        await client.query('begin isolation level repeatable read');
        try {
          const [chain] = await send(client, lockChain[world].wait, { ...store, world });
          if (chain!.sequenceEnd > 0) return undefined;
          ({ storeNumber } = chain!);
          last = chain!.head;
        } catch (error) {
          if ((error as pg.DatabaseError).code !== '40001') throw error;
          return undefined;
        }
        await send(client, insertCommitment, {
          batchId: randomId(),
          sequenceStart: 1 as Sequence,
          sequenceEnd: last as Sequence,
          leafCount: last,
          root: sha256(Buffer.from('root')),
          previousStateRoot: noStateRoot,
          stateRoot: sha256(Buffer.from('state')),
          signature: null,
          world,
          storeNumber,
          previousEnd: null,
        });
        return undefined;
      },
    },
    {
      name: `${name}2`,
      async run(client) {
        await client.query('commit');
        return last === 0 ? 'left out' : `1 to ${last}`;
      },
    },
  ];
}

/**
 * Commits the events from 1 on that were there when it looked, as groups do: by a look and, later, one statement, whose end
 * is a step of its own here.
 */
function shortCommitment(name: string, store: StoreKey): Step[] {
  let view: ChainView | undefined;
  let isAdded = false;
  return [
    {
      name: `${name}1`,
      async run(client) {
        [view] = await send(client, readChains, [{ store, start: 1 as Sequence, end: 9 as Sequence }]);
        return undefined;
      },
    },
    {
      name: `${name}2`,
      async run(client) {
        const { storeNumber, head } = view!;
        const hash = sha256(Buffer.from(name));
        const commitment = {
          batchId: randomId(),
          ...{ sequenceStart: 1 as Sequence, sequenceEnd: head as number as Sequence, leafCount: head },
          ...{ root: hash, previousStateRoot: noStateRoot, stateRoot: hash, signature: null },
        };
        await client.query('begin');
        const added = await send(client, addCommitments, [
          { commitment, nodes: hash, storeNumber, previous: null },
        ]);
        isAdded = added.length === 1;
        return undefined;
      },
    },
    {
      name: `${name}3`,
      async run(client) {
        await client.query('commit');
        return isAdded ? `1 to ${view!.head}` : 'left out';
      },
    },
  ];
}

const orderText = (order: readonly Step[]): string => order.map(({ name }) => name).join(' ');

/** Runs every order and returns what came of each, in a form that can stand in a test. */
async function outcomes(
  open: () => Promise<{ a: Step[]; b: Step[]; check: () => Promise<string> }>,
): Promise<Record<string, string>> {
  const { a: first, b: second } = await open();
  const table: Record<string, string> = {};
  for (const order of interleavings(first, second).map(orderText)) {
    const { a, b, check } = await open();
    const steps = order.split(' ').map((name) => [...a, ...b].find((step) => step.name === name)!);
    const results = await runInterleaved(database.url, [a, b], steps);
    const ends = [a.at(-1)!, b.at(-1)!].map(({ name }) => results[name]);
    table[order] = `${ends.join(' | ')} | ${await check()}`;
  }
  return table;
}

/** The log holds together, and its events are counted. */
async function checkedHead(store: StoreKey): Promise<string> {
  const { legacy } = await opened.log.heads(store);
  const events = await opened.log.readLegacy(store, 1 as Sequence, (legacy + 10) as Sequence);
  await checkLog(
    opened.log,
    store,
    events.map(({ eventId }) => eventId),
  );
  return `head ${legacy}`;
}

test('append ∥ append: one of two owners that expect the same head appends', async () => {
  const table = await outcomes(async () => {
    const { store, claim: owner } = await openStore();
    return {
      a: append('a', batchOf(owner, 1, [randomEvent()])),
      b: append('b', batchOf(owner, 1, [randomEvent()])),
      check: () => checkedHead(store),
    };
  });
  expect(table).toEqual({
    'a1 a2 b1 b2': 'appended | heads-moved | head 2',
    'a1 b1 a2 b2': 'appended | heads-moved | head 2',
    'a1 b1 b2 a2': 'appended | locked | head 2',
    'b1 a1 a2 b2': 'locked | appended | head 2',
    'b1 a1 b2 a2': 'heads-moved | appended | head 2',
    'b1 b2 a1 a2': 'heads-moved | appended | head 2',
  });
});

test('append ∥ claim: a claim waits for the append under way, and fences the one after it', async () => {
  const table = await outcomes(async () => {
    const { store, claim: owner } = await openStore();
    return {
      a: append('a', batchOf(owner, 1, [randomEvent()])),
      b: claim('b', store),
      check: () => checkedHead(store),
    };
  });
  expect(table).toEqual({
    'a1 a2 b1 b2': 'appended | epoch 2, head 2 | head 2',
    'a1 b1 a2 b2': 'appended | epoch 2, head 2 | head 2',
    'a1 b1 b2 a2': 'appended | epoch 2, head 2 | head 2',
    'b1 a1 a2 b2': 'locked | epoch 2, head 1 | head 1',
    'b1 a1 b2 a2': 'fenced | epoch 2, head 1 | head 1',
    'b1 b2 a1 a2': 'fenced | epoch 2, head 1 | head 1',
  });
});

test('claim ∥ claim: each gets an epoch of its own, in the order in which they came to the row', async () => {
  const table = await outcomes(async () => {
    const { store } = await openStore();
    return { a: claim('a', store), b: claim('b', store), check: () => checkedHead(store) };
  });
  expect(table).toEqual({
    'a1 a2 b1 b2': 'epoch 2, head 1 | epoch 3, head 1 | head 1',
    'a1 b1 a2 b2': 'epoch 2, head 1 | epoch 3, head 1 | head 1',
    'a1 b1 b2 a2': 'epoch 2, head 1 | epoch 3, head 1 | head 1',
    'b1 a1 a2 b2': 'epoch 3, head 1 | epoch 2, head 1 | head 1',
    'b1 a1 b2 a2': 'epoch 3, head 1 | epoch 2, head 1 | head 1',
    'b1 b2 a1 a2': 'epoch 3, head 1 | epoch 2, head 1 | head 1',
  });
});

test('duplicate ∥ duplicate: an id is stored once, even by owners that expect one after the other', async () => {
  const table = await outcomes(async () => {
    const { store, claim: owner } = await openStore();
    const event = randomEvent();
    return {
      a: append('a', batchOf(owner, 1, [event])),
      b: append('b', batchOf(owner, 2, [randomEvent({ eventId: event.eventId })])),
      check: () => checkedHead(store),
    };
  });
  expect(table).toEqual({
    'a1 a2 b1 b2': 'appended | conflict | head 2',
    'a1 b1 a2 b2': 'appended | locked | head 2',
    'a1 b1 b2 a2': 'appended | heads-moved | head 2',
    'b1 a1 a2 b2': 'appended | locked | head 2',
    'b1 a1 b2 a2': 'appended | heads-moved | head 2',
    'b1 b2 a1 a2': 'appended | heads-moved | head 2',
  });
});

test('append ∥ commitment: it covers what was durable when it began, and neither waits', async () => {
  const table = await outcomes(async () => {
    const { store, claim: owner } = await openStore();
    await send(opened.pool, startChain, { ...store, world: 'legacy' });
    return {
      a: append('a', batchOf(owner, 1, [randomEvent()])),
      b: commitment('b', store),
      check: () => checkedHead(store),
    };
  });
  expect(table).toEqual({
    'a1 a2 b1 b2': 'appended | 1 to 2 | head 2',
    'a1 b1 a2 b2': 'appended | 1 to 1 | head 2',
    'a1 b1 b2 a2': 'appended | 1 to 1 | head 2',
    'b1 a1 a2 b2': 'appended | 1 to 1 | head 2',
    'b1 a1 b2 a2': 'appended | 1 to 1 | head 2',
    'b1 b2 a1 a2': 'appended | 1 to 1 | head 2',
  });
});

/** A store with three signed events, and a chain that has no commitment yet. */
async function openSignedStore(): Promise<StoreKey> {
  const store = newStore();
  await fillStream(opened.pool, { ...store, world: 'ves' }, 3);
  await send(opened.pool, startChain, { ...store, world: 'ves' });
  return store;
}

/** The ranges of the store's commitments. */
async function committedRanges(store: StoreKey): Promise<string> {
  const commitments = new PostgresCommitmentLog(opened.pool);
  const chain = await commitments.listFrom({ ...store, world: 'ves' }, 1 as Sequence, 10);
  return chain.map(({ sequenceStart, sequenceEnd }) => `${sequenceStart} to ${sequenceEnd}`).join(', ');
}

test('short commitment ∥ append: it covers what was durable when it looked, and neither waits', async () => {
  const table = await outcomes(async () => {
    const store = await openSignedStore();
    return {
      a: shortCommitment('a', store),
      b: appendSigned('b', store),
      check: () => committedRanges(store),
    };
  });
  for (const [order, outcome] of Object.entries(table)) {
    const head = order.startsWith('b1 b2') ? 5 : 3;
    expect(`${order}: ${outcome}`).toBe(`${order}: 1 to ${head} | appended | 1 to ${head}`);
  }
});

test('short commitment ∥ short commitment: one of them is stored, and nobody waits', async () => {
  const table = await outcomes(async () => {
    const store = await openSignedStore();
    return {
      a: shortCommitment('a', store),
      b: shortCommitment('b', store),
      check: () => committedRanges(store),
    };
  });
  expect(Object.keys(table)).toHaveLength(20);
  for (const [order, outcome] of Object.entries(table)) {
    const isFirst = order.indexOf('a2') < order.indexOf('b2');
    const expected = isFirst ? '1 to 3 | left out | 1 to 3' : 'left out | 1 to 3 | 1 to 3';
    expect(`${order}: ${outcome}`).toBe(`${order}: ${expected}`);
  }
});

test('short commitment ∥ commitment: one of them is stored, and only the long one waits', async () => {
  const table = await outcomes(async () => {
    const store = await openSignedStore();
    return {
      a: shortCommitment('a', store),
      b: commitment('b', store, 'ves'),
      check: () => committedRanges(store),
    };
  });
  expect(Object.keys(table)).toHaveLength(10);
  for (const [order, outcome] of Object.entries(table)) {
    const isFirst = order.indexOf('a2') < order.indexOf('b1');
    const expected = isFirst ? '1 to 3 | left out | 1 to 3' : 'left out | 1 to 3 | 1 to 3';
    expect(`${order}: ${outcome}`).toBe(`${order}: ${expected}`);
  }
});

/** Two kinds of key, each with what a request looks up before it appends and what an administrator does to it. */
const keys = {
  'an API key': async ({ tenantId }: StoreKey) => {
    const hash = Buffer.from(sha256(Buffer.from(randomId()))).toString('hex') as ApiKeyHash;
    const principal = {
      ...{ tenantId, storeIds: [], agentId: null },
      ...{ read: true, write: true, admin: false, requestsPerMinuteMax: null },
    };
    await send(opened.pool, insertApiKey, { hash, principal, activeKeysMax: null });
    return {
      isGood: async (client: pg.Client) => (await send(client, findApiKey, hash))[0]!.active,
      revoke: (client: pg.Client) => send(client, revokeApiKey, hash),
    };
  },
  "an agent's key": async ({ tenantId }: StoreKey) => {
    const ref = { tenantId, agentId: randomId(), keyId: 1 };
    const publicKey = sha256(Buffer.from(ref.agentId));
    await send(opened.pool, insertAgentKey, {
      ...ref,
      publicKey,
      algorithm: 1,
      validFrom: null,
      validTo: null,
    });
    return {
      isGood: async (client: pg.Client) => (await send(client, findAgentKey, ref))[0]!.revokedAt === null,
      revoke: (client: pg.Client) => send(client, revokeAgentKey, ref),
    };
  },
};

test.each(Object.entries(keys))(
  'revoke ∥ append: %s that is looked up after its revocation appends nothing',
  async (_, makeKey) => {
    const table = await outcomes(async () => {
      const { store, claim: owner } = await openStore();
      const key = await makeKey(store);
      const [statement, end] = append('a', batchOf(owner, 1, [randomEvent()]));
      let isGood = false;
      return {
        a: [
          {
            name: 'a1',
            async run(client) {
              isGood = await key.isGood(client);
              return undefined;
            },
          },
          {
            name: 'a2',
            async run(client) {
              if (!isGood) return 'refused';
              await statement!.run(client);
              return end!.run(client);
            },
          },
        ],
        b: [
          {
            name: 'b1',
            async run(client) {
              await client.query('begin');
              await key.revoke(client);
              return undefined;
            },
          },
          {
            name: 'b2',
            async run(client) {
              await client.query('commit');
              return 'revoked';
            },
          },
        ],
        check: () => checkedHead(store),
      };
    });
    expect(table).toEqual({
      'a1 a2 b1 b2': 'appended | revoked | head 2',
      'a1 b1 a2 b2': 'appended | revoked | head 2',
      'a1 b1 b2 a2': 'appended | revoked | head 2',
      'b1 a1 a2 b2': 'appended | revoked | head 2',
      'b1 a1 b2 a2': 'appended | revoked | head 2',
      'b1 b2 a1 a2': 'refused | revoked | head 1',
    });
  },
);
