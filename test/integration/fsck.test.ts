import { execFile } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { databaseSource } from '../../bin/export/database-source.ts';
import { exportStream } from '../../bin/export/export-stream.ts';
import { checkDatabase, type FsckReport } from '../../bin/fsck/check-database.ts';
import { scanVault } from '../../bin/scan-vault.ts';
import { NodeCryptography } from '../../bin/verify/node-cryptography.ts';
import { utf8Bytes } from '../../domain/bytes.ts';
import { legacyLeafHash } from '../../domain/legacy/hashes.ts';
import type { Sequence, World } from '../../domain/types.ts';
import { type Check, readExportHeader, StreamVerifier } from '../../domain/verify/verify.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { noMasterKeys } from '../../storage/payloads/master-keys.ts';
import { LogScan } from '../../storage/postgres/log-scan.ts';
import { fillStore, type FilledStore } from '../support/filled-store.ts';
import { TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openVesNode } from '../support/ves-node.ts';

let database: TestDatabase;
let pool: pg.Pool;
let store: FilledStore;
beforeAll(async () => {
  database = await createTestDatabase();
  const node = await openVesNode(database.url);
  store = await fillStore(node);
  await fillStore(node); // What is wrong in one store is not told of another.
  await node.close();
  // The schema would refuse most of what is broken here; disks and people with a shell would not.
  const options = '-c session_replication_role=replica';
  pool = new pg.Pool({ connectionString: database.url, max: 2, options });
  await dropConstraints();
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

async function dropConstraints(): Promise<void> {
  const { rows } = await pool.query<{ table_name: string; name: string }>(
    `select conrelid::regclass::text as table_name, conname as name from pg_constraint
      where connamespace = 'public'::regnamespace and contype in ('c', 'u')
        and conrelid::regclass::text in ('ves_events', 'legacy_events', 'commitments', 'commitment_chains', 'streams')
        and conname not in ('streams_tenant_id_store_id_key', 'commitments_batch_id_key')`,
  );
  for (const { table_name, name } of rows) {
    await pool.query(`alter table ${table_name} drop constraint ${name} cascade`);
  }
  await pool.query('drop index ves_events_event_id, legacy_events_event_id');
}

function fsck(): Promise<FsckReport> {
  const { tenantId } = store;
  return checkDatabase({
    databaseUrl: database.url,
    tenantId: null,
    storeId: null,
    jobs: 1,
    masterKeys: noMasterKeys,
    onProgress: () => undefined,
  }).then((report) => {
    const known = [tenantId, '00000000-0000-0000-0000-000000000000'];
    expect(report.findings.filter((finding) => !known.includes(finding.tenantId))).toEqual([]);
    return report;
  });
}

/** What `verify` says of an export from the database as it is now. */
async function verifyExport(world: World): Promise<Check[]> {
  const stream = { tenantId: store.tenantId, storeId: store.storeId, world };
  const lines: (string | Uint8Array)[] = [];
  await exportStream({
    source: await databaseSource(new LogScan(pool), scanVault(pool, noMasterKeys), stream, () =>
      Promise.resolve(),
    ),
    stream,
    output: {
      hasBegun: true,
      write: (more) => Promise.resolve(void lines.push(...more)),
      close: () => Promise.resolve(),
    },
    from: 1 as Sequence,
    resumed: null,
    exportedAt: '2026-01-31T12:00:00Z',
    onEvents: () => undefined,
  });
  const [header, ...rest] = lines.map((line) => (typeof line === 'string' ? utf8Bytes(line) : line));
  const verifier = new StreamVerifier(readExportHeader(header!), { cryptography: new NodeCryptography() });
  rest.forEach((line, index) => verifier.addText(line.subarray(0, -1), index + 2));
  return verifier.finish().checks.filter(({ holds }) => holds === false);
}

/** Which row: of an event by its sequence, of a commitment by where it ends. */
function whereOf(table: string, place: number): string {
  const ofStore = `store_number = (select store_number from streams where tenant_id = '${store.tenantId}')`;
  switch (table) {
    case 'streams':
      return `tenant_id = '${store.tenantId}'`;
    case 'agent_keys':
      return `agent_id = '${store.agents[0]!.agentId}'`;
    case 'commitments':
      return `${ofStore} and sequence_end = ${place}`;
    case 'commitment_chains':
      return ofStore;
    case 'commitment_nodes':
      return `batch_id in (select batch_id from commitments where ${ofStore} and sequence_end = ${place})`;
    default:
      return `${ofStore} and sequence = ${place}`;
  }
}

/** Changes columns of one row, runs, and puts back what was there. */
async function withChangedRow<Result>(
  table: string,
  where: string,
  changes: Readonly<Record<string, (value: any) => unknown>>,
  run: () => Promise<Result>,
): Promise<Result> {
  const columns = Object.keys(changes);
  const { rows } = await pool.query(`select ctid, ${columns.join()} from ${table} where ${where} limit 1`);
  const [row] = rows;
  expect(row).toBeDefined();
  const settings = columns.map((column, index) => `${column} = $${index + 2}`);
  const set = `update ${table} set ${settings.join()} where ctid = $1 returning ctid`;
  const values = columns.map((column) => changes[column]!(row[column]));
  const changed = await pool.query<{ ctid: string }>(set, [row.ctid, ...values]);
  try {
    return await run();
  } finally {
    await pool.query(set, [changed.rows[0]!.ctid, ...columns.map((column) => row[column])]);
  }
}

function withChanged<Result>(
  table: string,
  column: string,
  where: string,
  change: (value: any) => unknown,
  run: () => Promise<Result>,
): Promise<Result> {
  return withChangedRow(table, where, { [column]: change }, run);
}

function flipBit(bytes: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  const at = bit % (bytes.length * 8);
  flipped[at >> 3] = bytes[at >> 3]! ^ (1 << (at & 7));
  return flipped;
}

function flipUuid(uuid: string, bit: number): string {
  return flipBit(Buffer.from(uuid.replaceAll('-', ''), 'hex'), bit).toString('hex');
}

/** Only within what is still printable ASCII, which Postgres takes as text. */
function flipText(text: string, bit: number): string {
  const bytes = Buffer.from(text);
  bytes[bit % bytes.length] = bytes[bit % bytes.length]! ^ 1;
  return bytes.toString();
}

const flipNumber = (value: string | number, bit: number): string =>
  String(BigInt(value) ^ (1n << BigInt(bit % 31)));
const bit = (): number => fc.sample(fc.nat({ max: 1 << 20 }), 1)[0]!;

test('a database that is as it should be has no findings', async () => {
  expect(await fsck()).toMatchObject({
    holds: true,
    findings: [],
    stores: 2,
    events: 72,
    commitments: 12,
    erasedPayloads: 0,
    unreadablePayloads: 0,
  });
  expect(await verifyExport('ves')).toEqual([]);
  expect(await verifyExport('legacy')).toEqual([]);
});

interface Broken {
  readonly world: World;
  readonly table: string;
  readonly column: string;
  /** Of the event, or where the commitment ends. */
  readonly place: number;
  readonly flip: (value: any, bit: number) => unknown;
  /** Whether an export shows the column. */
  readonly isExported: boolean;
}

function broken(
  column: string,
  flip: Broken['flip'],
  { place = 4, isExported = true }: { place?: number; isExported?: boolean } = {},
): Broken {
  const [table = '', name = ''] = column.split('.');
  return {
    world: table === 'legacy_events' ? 'legacy' : 'ves',
    table,
    column: name,
    place,
    flip,
    isExported,
  };
}

const ofEvents: readonly Broken[] = [
  broken('ves_events.payload', flipBit),
  broken('ves_events.payload', flipBit, { place: 3 }),
  broken('ves_events.payload_plain_hash', flipBit),
  broken('ves_events.payload_plain_hash', flipBit, { place: 3 }),
  broken('ves_events.payload_cipher_hash', flipBit, { place: 3 }),
  broken('ves_events.signing_hash', flipBit),
  broken('ves_events.leaf_hash', flipBit),
  broken('ves_events.agent_signature', flipBit),
  broken('ves_events.receipt_signature', flipBit),
  broken('ves_events.receipt_key_version', flipNumber),
  broken('ves_events.event_id', flipUuid),
  broken('ves_events.source_agent', flipUuid),
  broken('ves_events.agent_key_id', flipNumber),
  broken('ves_events.entity_type', flipText),
  broken('ves_events.entity_id', flipText),
  broken('ves_events.event_type', flipText),
  broken('ves_events.created_at_text', (text: string) => text.replace('22.123', '23.123')),
  broken('ves_events.created_at', (value: Date) => new Date(value.getTime() + 1), { isExported: false }),
  broken('ves_events.entity_hash', flipNumber, { isExported: false }),
  broken('legacy_events.payload', flipBit),
  broken('legacy_events.payload_hash', flipBit),
  broken('legacy_events.leaf_hash', flipBit),
  broken('legacy_events.entity_type', flipText),
  broken('legacy_events.entity_id', flipText),
  broken('legacy_events.entity_hash', flipNumber, { isExported: false }),
];

test.each(ofEvents)('a flipped bit in $table $column is named, and where', async (one) => {
  const { table, column, place, flip, world, isExported } = one;
  const at = bit();
  const where = whereOf(table, place);
  await withChanged(
    table,
    column,
    where,
    (value) => flip(value, at),
    async () => {
      const report = await fsck();
      const [first] = report.findings.filter((finding) => !finding.column.startsWith('commitment'));
      expect({ bit: at, first }).toMatchObject({
        first: { world, sequence: place, column: `${table}.${column}` },
      });
      expect(report.holds).toBe(false);
      if (!isExported) return;
      const failed = (await verifyExport(world)).filter(({ subject }) => !subject.startsWith('commitment'));
      expect({ bit: at, subjects: new Set(failed.map(({ subject }) => subject)) }).toEqual({
        bit: at,
        subjects: new Set([`event ${place}`]),
      });
    },
  );
});

const ofCommitments: readonly (Broken & { readonly rule: string | null })[] = [
  { ...broken('commitments.root', flipBit, { place: 5 }), rule: 'root' },
  { ...broken('commitments.state_root', flipBit, { place: 5 }), rule: 'state-root' },
  { ...broken('commitments.previous_state_root', flipBit, { place: 6 }), rule: 'chain' },
  { ...broken('commitments.sequencer_signature', flipBit, { place: 6 }), rule: 'commitment-signature' },
  { ...broken('commitments.sequencer_key_version', flipNumber, { place: 6 }), rule: 'commitment-signature' },
  { ...broken('commitments.sequencer_id', flipUuid, { place: 6 }), rule: 'commitment-signature' },
  { ...broken('commitments.previous_end', flipNumber, { place: 6 }), rule: null },
];

describe.each(['ves', 'legacy'] as const)('of a %s commitment', (world) => {
  test.each(ofCommitments)('a flipped bit in $column is named, and where', async (one) => {
    const { column, place, flip, rule } = one;
    const at = bit();
    const where = `${whereOf('commitments', place)} and world = '${world}'`;
    await withChanged(
      'commitments',
      column,
      where,
      (value) => flip(value, at),
      async () => {
        const { findings } = await fsck();
        const start = place === 5 ? 1 : 6;
        expect({ bit: at, findings }).toMatchObject({
          findings: [{ world, sequence: start, column: `commitments.${column}` }],
        });
        // In legacy a state root follows from nothing in an export but the signature and the next commitment.
        const named = rule === 'state-root' && world === 'legacy' ? 'commitment-signature' : rule;
        const failed = await verifyExport(world);
        const subject = `commitment ${start}..${place}`;
        if (named === null) expect(failed).toEqual([]);
        else expect(failed).toContainEqual(expect.objectContaining({ rule: named, subject }));
      },
    );
  });

  test('a flipped bit in a node above the leaves is named', async () => {
    const where = `${whereOf('commitment_nodes', 13)} and batch_id in
      (select batch_id from commitments where world = '${world}')`;
    await withChanged(
      'commitment_nodes',
      'nodes',
      where,
      (value) => flipBit(value, bit()),
      async () => {
        expect((await fsck()).findings).toMatchObject([
          { world, sequence: 7, column: 'commitment_nodes.nodes' },
        ]);
      },
    );
  });

  test('a head that is too high or too low is named', async () => {
    for (const head of [19, 17, 2 ** 40]) {
      const expected = { world, column: `streams.${world}_head`, expected: '18', found: String(head) };
      await withChanged(
        'streams',
        `${world}_head`,
        whereOf('streams', 0),
        () => head,
        async () => {
          expect((await fsck()).findings).toEqual([expect.objectContaining(expected)]);
        },
      );
    }
  });

  test('the end of the chain is named when it is not that of the last commitment', async () => {
    const where = `${whereOf('commitment_chains', 0)} and world = '${world}'`;
    await withChanged(
      'commitment_chains',
      'sequence_end',
      where,
      () => 6,
      async () => {
        const [finding] = (await fsck()).findings;
        expect(finding).toMatchObject({
          world,
          column: 'commitment_chains.sequence_end',
          expected: '13',
          found: '6',
        });
      },
    );
  });

  test('a gap is named, by what moved away and by where it went', async () => {
    const table = `${world}_events`;
    await withChanged(
      table,
      'sequence',
      whereOf(table, 16),
      () => 16 + 2 ** 33,
      async () => {
        const { findings } = await fsck();
        expect(findings).toContainEqual(
          expect.objectContaining({ world, sequence: 16, column: `${table}.sequence`, found: 'nothing' }),
        );
        expect(findings).toContainEqual(expect.objectContaining({ column: `streams.${world}_head` }));
        const failed = await verifyExport(world);
        expect(failed).toContainEqual(expect.objectContaining({ rule: 'order', subject: 'event 17' }));
      },
    );
  });

  test('an id that two events have is named with both', async () => {
    const table = `${world}_events`;
    const { rows } = await pool.query(`select event_id from ${table} where ${whereOf(table, 15)}`);
    await withChanged(
      table,
      'event_id',
      whereOf(table, 17),
      () => rows[0].event_id,
      async () => {
        expect((await fsck()).findings).toContainEqual(
          expect.objectContaining({ sequence: 15, column: `${table}.event_id`, found: 'events 15 and 17' }),
        );
        expect(await verifyExport(world)).toContainEqual(
          expect.objectContaining({ rule: 'one-sequence-per-event', subject: 'event 17' }),
        );
      },
    );
  });
});

test('an event that was changed with its hash and its leaf is found by the root', async () => {
  const table = 'legacy_events';
  const where = whereOf(table, 8);
  const payload = Buffer.from('{}');
  const payloadHash = nodeSha256(payload);
  const leaf = legacyLeafHash(store, 8 as Sequence, payloadHash, 'order', 'ORD-3', nodeSha256);
  const changes = {
    payload: () => payload,
    payload_hash: () => Buffer.from(payloadHash),
    leaf_hash: () => Buffer.from(leaf),
  };
  const { findings } = await withChangedRow(table, where, changes, fsck);
  expect(findings).toEqual([
    expect.objectContaining({
      world: 'legacy',
      sequence: 7,
      until: 13,
      column: 'legacy_events.leaf_hash',
      detail: 'the leaves 7..13 are not those that were committed',
    }),
  ]);
});

test('a public key of an agent that is another one now is named', async () => {
  await withChanged(
    'agent_keys',
    'public_key',
    whereOf('agent_keys', 0),
    (value) => flipBit(value, bit()),
    async () => {
      const { findings } = await fsck();
      expect(new Set(findings.map(({ column }) => column))).toEqual(new Set(['agent_keys.public_key']));
      expect(findings.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    },
  );
});

test('counts of an entity that are wrong are named', async () => {
  const where = whereOf('streams', 0);
  await pool.query(`insert into entity_counts (store_number, entity_hash, entity_type, entity_id, ves_count)
    select store_number, 1, 'order', 'ORD-X', 3 from streams where ${where}`);
  const { findings } = await fsck();
  await pool.query(`delete from entity_counts where entity_id = 'ORD-X'`);
  expect(findings).toEqual([
    expect.objectContaining({
      column: 'entity_counts',
      found: '0 and 3',
      detail: expect.stringMatching(/ORD-X/),
    }),
  ]);
});

test('events that belong to no store are named', async () => {
  const where = whereOf('ves_events', 18);
  await withChanged(
    'ves_events',
    'store_number',
    where,
    () => 2 ** 45,
    async () => {
      expect((await fsck()).findings).toContainEqual(
        expect.objectContaining({ column: 'ves_events.store_number', found: String(2 ** 45) }),
      );
    },
  );
});

describe('the command', () => {
  const cli = join(import.meta.dirname, '../../bin/sequencer.ts');
  const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(cli, ['fsck', ...args], (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });

  test('ends with 0 when all is well, and says what it checked', async () => {
    const { code, stdout } = await run('--database-url', database.url, '--tenant', store.tenantId);
    expect(stdout).toBe('Checked 36 events and 6 commitments of 1 stores.\nAll of it is as it should be.\n');
    expect(code).toBe(0);
  });

  test('ends with 1 and names tenant, store, world, sequence and column', async () => {
    const table = 'legacy_events';
    await withChanged(
      table,
      'payload_hash',
      whereOf(table, 17),
      (value) => flipBit(value, 9),
      async () => {
        const { code, stdout } = await run('--database-url', database.url);
        const { tenantId, storeId } = store;
        expect(stdout).toContain(
          `WRONG ${tenantId}/${storeId} legacy 17 legacy_events.payload_hash: expected `,
        );
        expect(code).toBe(1);
        const json = await run('--database-url', database.url, '--json', '--jobs', '1');
        expect(JSON.parse(json.stdout)).toMatchObject({ holds: false, findings: [{ sequence: 17 }] });
      },
    );
  });

  test('checks the database of a node that is stopped, and of none that runs', async () => {
    const nodes = new TestNodes();
    try {
      const node = await nodes.start({});
      const env = { PATH: process.env.PATH, DATA_DIR: join(nodes.folder, 'data') };
      const runs = () =>
        new Promise<{ code: number; text: string }>((resolve) => {
          execFile(cli, ['fsck'], { env }, (error, stdout, stderr) => {
            resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr });
          });
        });
      expect(await runs()).toMatchObject({
        code: 2,
        text: expect.stringMatching(/Another node \(process \d+\) runs/),
      });
      await node.stop();
      expect(await runs()).toMatchObject({ code: 0, text: expect.stringMatching(/^Checked 0 events/) });
    } finally {
      await nodes.stop();
    }
  });

  test.each([
    [['--database-url', 'postgres://127.0.0.1:1/nothing'], /can't be checked: /],
    [['--jobs', '0'], /from 1 to 64/],
  ])('ends with 2 for %j', async (args, complaint) => {
    const { code, stderr } = await run(...args);
    expect(stderr).toMatch(complaint);
    expect(code).toBe(2);
  });
});
