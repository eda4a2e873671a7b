import type pg from 'pg';
import { noStateRoot } from '../../domain/commitment.ts';
import { type ApiKeyHash, type Head, type Sequence, type StoreKey } from '../../domain/types.ts';
import type { AppendBatch, Claim } from '../../storage/event-log.ts';
import { outcomeOfMissed } from '../../storage/postgres/append-flush.ts';
import { AppendEncoder } from '../../storage/postgres/queries/append.query.ts';
import { claimExisting } from '../../storage/postgres/queries/claim.query.ts';
import { fenceRows } from '../../storage/postgres/queries/fence-rows.query.ts';
import { findAgentKey } from '../../storage/postgres/queries/find-agent-key.query.ts';
import { findApiKey } from '../../storage/postgres/queries/find-api-key.query.ts';
import { insertAgentKey } from '../../storage/postgres/queries/insert-agent-key.query.ts';
import { insertApiKey } from '../../storage/postgres/queries/insert-api-key.query.ts';
import { insertCommitment } from '../../storage/postgres/queries/insert-commitment.query.ts';
import { lockChain, startChain } from '../../storage/postgres/queries/lock-chain.query.ts';
import { revokeAgentKey } from '../../storage/postgres/queries/revoke-agent-key.query.ts';
import { revokeApiKey } from '../../storage/postgres/queries/revoke-api-key.query.ts';
import { send } from '../../storage/postgres/query.ts';
import { rowTypes } from '../../storage/postgres/row-types.ts';
import { batchOf, checkLog, newStore, randomEvent, randomId, sha256 } from '../support/event-log.ts';
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

/** Commits what the snapshot shows. */
function commitment(name: string, store: StoreKey): Step[] {
  let last = 0;
  return [
    {
      name: `${name}1`,
      async run(client) {
        await client.query('begin isolation level repeatable read');
        const [chain] = await send(client, lockChain.legacy.wait, { ...store, world: 'legacy' });
        last = chain!.head;
        await send(client, insertCommitment, {
          batchId: randomId(),
          sequenceStart: 1 as Sequence,
          sequenceEnd: last as Sequence,
          leafCount: last,
          root: sha256(Buffer.from('root')),
          previousStateRoot: noStateRoot,
          stateRoot: sha256(Buffer.from('state')),
          signature: null,
          world: 'legacy',
          storeNumber: chain!.storeNumber,
          previousEnd: null,
        });
        return undefined;
      },
    },
    {
      name: `${name}2`,
      async run(client) {
        await client.query('commit');
        return `1 to ${last}`;
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
