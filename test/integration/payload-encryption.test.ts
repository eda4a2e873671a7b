import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { databaseSource } from '../../bin/export/database-source.ts';
import { exportStream } from '../../bin/export/export-stream.ts';
import { checkDatabase, type FsckReport } from '../../bin/fsck/check-database.ts';
import { scanVault } from '../../bin/scan-vault.ts';
import { NodeCryptography } from '../../bin/verify/node-cryptography.ts';
import { utf8Bytes } from '../../domain/bytes.ts';
import type { Sequence, StoreKey, World } from '../../domain/types.ts';
import { readEvidence, readExportHeader, StreamVerifier, verifyBundle } from '../../domain/verify/verify.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { noMasterKeys, type MasterKeySettings } from '../../storage/payloads/master-keys.ts';
import { LogScan } from '../../storage/postgres/log-scan.ts';
import { batchOf, newStore, randomEvent } from '../support/event-log.ts';
import { fillStore, type FilledStore, storeQuery } from '../support/filled-store.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { openTestLog } from '../support/postgres-event-log.ts';
import { newAgent, signedEvent } from '../support/ves-events.ts';
import { openVesNode, type VesNode } from '../support/ves-node.ts';

const master = randomBytes(32);
const masterKeys: MasterKeySettings = { general: [master], byTenant: new Map() };
const required = { PAYLOAD_ENCRYPTION_MODE: 'required', PAYLOAD_ENCRYPTION_KEYS: master.toString('hex') };

describe.each(serverNames)('a node that encrypts payloads, on %s', (server) => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let node: VesNode;
  let store: FilledStore;
  const plainLists = new Map<string, string>();

  beforeAll(async () => {
    database = await createTestDatabase(server);
    pool = new pg.Pool({ connectionString: database.url, max: 2 });
    node = await openVesNode(database.url, { env: required });
    store = await fillStore(node);
    for (const path of ['/api/v1/events', '/api/v1/ves/events']) plainLists.set(path, await list(path));
  });
  afterAll(async () => {
    await node?.close();
    await pool?.end();
    await database?.drop();
  });

  async function list(path: string, from = node): Promise<string> {
    const answer = await from.send('GET', `${path}?${storeQuery(store)}`);
    return answer.text;
  }

  function fsck(keys = masterKeys): Promise<FsckReport> {
    return checkDatabase({
      databaseUrl: database.url,
      tenantId: null,
      storeId: null,
      jobs: 1,
      masterKeys: keys,
      onProgress: () => undefined,
    });
  }

  /** Changes rows, runs, and puts back what was there. */
  async function withChange<Result>(
    table: string,
    of: StoreKey,
    change: string,
    run: () => Promise<Result>,
  ): Promise<Result> {
    const ofStore =
      'store_number = (select store_number from streams where tenant_id = $1 and store_id = $2)';
    const key = [of.tenantId, of.storeId];
    await pool.query(`create table kept as select * from ${table} where ${ofStore}`, key);
    try {
      await pool.query(`update ${table} e set ${change} and ${ofStore}`, key);
      return await run();
    } finally {
      await pool.query(
        `update ${table} e set payload = k.payload, encryption_key_number = k.encryption_key_number, event_id = k.event_id
           from kept k where e.store_number = k.store_number and e.sequence = k.sequence`,
      );
      await pool.query('drop table kept');
    }
  }

  test('answers what was sent, and keeps nothing of it in plain', async () => {
    expect(plainLists.get('/api/v1/events')).toContain(
      '"payload":{"total": 3.50,\n "big":18446744073709551615},',
    );
    expect(plainLists.get('/api/v1/ves/events')).toContain('"payload":{"index":1,"note":"π","total":99.5},');
    for (const table of ['legacy_events', 'ves_events']) {
      const { rows } = await pool.query(`select payload, encryption_key_number from ${table}`);
      expect(rows.length).toBe(18);
      for (const { payload, encryption_key_number } of rows) {
        expect(encryption_key_number).toBe(1);
        for (const word of ['total', 'note', 'recipients', 'big"'])
          expect(payload.includes(word)).toBe(false);
      }
      const readable = await pool.query(`select count(payload) from ${table}_readable`);
      expect(readable.rows[0].count).toBe('0');
    }
    const keys = await pool.query('select key_number from payload_keys where tenant_id = $1', [
      store.tenantId,
    ]);
    expect(keys.rows).toEqual([{ key_number: 1 }]);
  });

  test('reads one event, a page of an entity and a proof bundle that verifies', async () => {
    const entity = await node.send('GET', `/api/v1/entities/order/ORD-1?${storeQuery(store)}`);
    expect(entity.json.events[0].envelope.payload).toMatchObject({ total: 1.5 });
    for (const world of ['ves/', ''] as const) {
      const bundle = await node.send('GET', `/api/v1/${world}proofs/2/bundle?${storeQuery(store)}`);
      const evidence = readEvidence(utf8Bytes(bundle.text), nodeSha256);
      if (evidence.kind !== 'bundle') throw new Error(evidence.kind);
      expect(verifyBundle(evidence.bundle)).toMatchObject({ holds: true });
      expect(verifyBundle(evidence.bundle).checks.filter(({ holds }) => holds === null)).toEqual([]);
    }
  });

  test('answers a repeated signed event with its receipt, and refuses another under its id', async () => {
    const agent = newAgent();
    await node.registerKey(agent);
    const event = signedEvent(agent, { payload: { secret: 1 } });
    const first = await node.ingest(agent.agentId, [event]);
    const again = await node.ingest(agent.agentId, [event]);
    expect(again.json).toMatchObject({ eventsAccepted: 0, eventsRejected: 0, receipts: first.json.receipts });
    const other = signedEvent(agent, {
      payload: { secret: 2 },
      eventId: event.event_id as StoreKey['storeId'],
    });
    expect((await node.ingest(agent.agentId, [other])).json).toMatchObject({ eventsRejected: 1 });
  });

  test('keeps its promises to fsck and to an export, with the keys', async () => {
    await expect(fsck()).resolves.toMatchObject({ holds: true, unreadablePayloads: 0, erasedPayloads: 0 });
    for (const world of ['legacy', 'ves'] as const) {
      expect(await verifyExport(world)).toMatchObject({ holds: true, lacksKeys: false });
    }
  });

  test('without the keys fsck checks the rest, and an export says what is missing', async () => {
    const report = await fsck(noMasterKeys);
    expect(report).toMatchObject({ holds: true, erasedPayloads: 0 });
    expect(report.unreadablePayloads).toBe(report.events);
    await expect(verifyExport('ves', noMasterKeys)).rejects.toMatchObject({
      code: 'PAYLOAD_UNREADABLE',
      message: expect.stringContaining('is not configured here'),
    });
  });

  async function verifyExport(world: World, keys = masterKeys) {
    const lines: Uint8Array[] = [];
    await exportStream({
      source: await databaseSource(new LogScan(pool), scanVault(pool, keys), { ...store, world }, () =>
        Promise.resolve(),
      ),
      stream: { ...store, world },
      output: {
        hasBegun: true,
        write: (more) =>
          Promise.resolve(
            void lines.push(...more.map((line) => (typeof line === 'string' ? utf8Bytes(line) : line))),
          ),
        close: () => Promise.resolve(),
      },
      from: 1 as Sequence,
      resumed: null,
      exportedAt: '2026-01-31T12:00:00Z',
      onEvents: () => undefined,
    });
    const verifier = new StreamVerifier(readExportHeader(lines[0]!), {
      cryptography: new NodeCryptography(),
    });
    lines.slice(1).forEach((line, index) => verifier.addText(line.subarray(0, -1), index + 2));
    return verifier.finish();
  }

  test.each([
    ['legacy_events', '/api/v1/events'],
    ['ves_events', '/api/v1/ves/events'],
  ])('damage in %s is an error at that event, and nowhere else', async (table, path) => {
    const flip = 'payload = set_byte(payload, 25, get_byte(payload, 25) # 4) where sequence = 5';
    await withChange(table, store, flip, async () => {
      expect((await node.send('GET', `${path}?${storeQuery(store)}`)).status).toBe(500);
      expect((await node.send('GET', `${path}?${storeQuery(store)}&limit=4`)).status).toBe(200);
      const { findings } = await fsck();
      expect(findings.map(({ sequence, column }) => [sequence, column])).toEqual([[5, `${table}.payload`]]);
    });
    expect(await list(path)).toBe(plainLists.get(path));
  });

  test('a damaged payload fails the repeat of its own event, and no other append', async () => {
    const agent = newAgent();
    await node.registerKey(agent);
    const event = signedEvent(agent);
    await node.ingest(agent.agentId, [event]);
    const flip = 'payload = set_byte(payload, 20, get_byte(payload, 20) # 1) where sequence = 1';
    await withChange('ves_events', agent, flip, async () => {
      const [repeat, fresh] = await Promise.all([
        node.ingest(agent.agentId, [event]),
        node.ingest(agent.agentId, [signedEvent(agent)]),
      ]);
      expect([repeat.status, fresh.status]).toEqual([500, 200]);
    });
    expect((await node.ingest(agent.agentId, [event])).json).toMatchObject({ eventsAccepted: 0 });
  });

  test.each(['legacy_events', 'ves_events'])(
    'payloads of %s that change places are found out',
    async (table) => {
      const swap = `payload = (select payload from kept k where k.sequence = 5 - e.sequence) where sequence in (2, 3)`;
      await withChange(table, store, swap, async () => {
        const { findings } = await fsck();
        expect(findings.map(({ sequence, column }) => [sequence, column])).toEqual([
          [2, `${table}.payload`],
          [3, `${table}.payload`],
        ]);
      });
    },
  );

  test('a row that names no key, or one that is not there, is found out', async () => {
    for (const number of ['null', '2']) {
      await withChange(
        'ves_events',
        store,
        `encryption_key_number = ${number} where sequence = 1`,
        async () => {
          expect((await fsck()).findings).toMatchObject([{ sequence: 1, column: 'ves_events.payload' }]);
        },
      );
    }
  });

  test('a flipped bit in an event id is blamed on the id, not on the payload', async () => {
    const { rows } = await pool.query(
      'select event_id from ves_events join streams using (store_number) where tenant_id = $1 and sequence = 4',
      [store.tenantId],
    );
    const id: string = rows[0].event_id;
    const flipped = id.replace(/.$/, (digit) => (parseInt(digit, 16) ^ 1).toString(16));
    await withChange('ves_events', store, `event_id = '${flipped}' where sequence = 4`, async () => {
      expect((await fsck()).findings.map(({ column }) => column)).toEqual(['ves_events.event_id']);
    });
  });

  test('nodes that meet a new tenant at the same moment make one key', async () => {
    const encryption = { mode: 'required', masterKeys } as const;
    const logs = await Promise.all(
      Array.from({ length: 4 }, () => openTestLog(database.url, { encryption })),
    );
    const { tenantId } = newStore();
    await Promise.all(
      logs.map(async ({ log }) => {
        const claim = await log.claim({ tenantId, storeId: newStore().storeId }, 'node');
        await expect(log.append(batchOf(claim, 0, [randomEvent()]))).resolves.toEqual({ kind: 'appended' });
      }),
    );
    const { rows } = await pool.query('select key_number from payload_keys where tenant_id = $1', [tenantId]);
    expect(rows).toEqual([{ key_number: 1 }]);
    await Promise.all(logs.map((opened) => opened.close()));
  });

  test('a node with another key says which one it lacks, appends under its own, and others read both', async () => {
    const other = randomBytes(32).toString('base64');
    const stranger = await openVesNode(database.url, {
      env: { ...required, PAYLOAD_ENCRYPTION_KEYS: other },
    });
    try {
      const refused = await stranger.send('GET', `/api/v1/events?${storeQuery(store)}`);
      expect(refused.status).toBe(503);
      expect(refused.text).toMatch(
        /^event 1: its payload is encrypted, and the master key [0-9a-f]{8} of the tenant/,
      );
      const agent = newAgent({ ...store });
      await stranger.registerKey(agent);
      const answer = await stranger.ingest(agent.agentId, [
        signedEvent(agent, { payload: { by: 'stranger' } }),
      ]);
      expect(answer.json).toMatchObject({ eventsAccepted: 1, headSequence: 19 });
      const own = await stranger.send('GET', `/api/v1/ves/events?${storeQuery(store)}&from=19`);
      expect(own.json.events[0].event.payload).toEqual({ by: 'stranger' });
      expect((await node.send('GET', `/api/v1/ves/events?${storeQuery(store)}&from=19`)).status).toBe(503);
    } finally {
      await stranger.close();
    }
    const both = { ...required, PAYLOAD_ENCRYPTION_KEYS: `${required.PAYLOAD_ENCRYPTION_KEYS},${other}` };
    const third = await openVesNode(database.url, { env: both });
    try {
      const all = await third.send('GET', `/api/v1/ves/events?${storeQuery(store)}`);
      expect(all.json.count).toBe(19);
    } finally {
      await third.close();
    }
  });

  test('what is stored in plain is refused when encryption is required, and read when it is optional', async () => {
    const plain = await openVesNode(database.url);
    const agent = newAgent();
    const event = {
      event_id: randomUUID(),
      tenant_id: agent.tenantId,
      store_id: agent.storeId,
      entity_type: 'order',
      entity_id: 'A',
      event_type: 'made',
      payload: { plain: true },
      created_at: '2025-12-20T18:31:22Z',
    };
    const body = { agent_id: agent.agentId, events: [event] };
    try {
      expect((await plain.send('POST', '/api/v1/events/ingest', body)).json.events_accepted).toBe(1);
    } finally {
      await plain.close();
    }
    const path = `/api/v1/events?${storeQuery(agent)}`;
    const refused = await node.send('GET', path);
    expect([refused.status, refused.text]).toEqual([
      503,
      expect.stringContaining('PAYLOAD_ENCRYPTION_MODE=required refuses to read; run "sequencer reencrypt"'),
    ]);
    const optional = await openVesNode(database.url, {
      env: { ...required, PAYLOAD_ENCRYPTION_MODE: 'optional' },
    });
    try {
      const second = { ...body, events: [{ ...event, event_id: randomUUID() }] };
      expect((await optional.send('POST', '/api/v1/events/ingest', second)).status).toBe(200);
      expect((await optional.send('GET', path)).json.count).toBe(2);
    } finally {
      await optional.close();
    }
    const { rows } = await pool.query(
      'select encryption_key_number as key from legacy_events join streams using (store_number) where tenant_id = $1 order by sequence',
      [agent.tenantId],
    );
    expect(rows).toEqual([{ key: null }, { key: 1 }]);
  });
});
