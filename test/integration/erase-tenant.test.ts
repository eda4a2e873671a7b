import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { databaseSource } from '../../bin/export/database-source.ts';
import { exportStream } from '../../bin/export/export-stream.ts';
import { httpSource } from '../../bin/export/http-source.ts';
import type { ExportSource } from '../../bin/export/export-source.ts';
import { SequencerClient } from '../../bin/driver/sequencer-client.ts';
import { checkDatabase } from '../../bin/fsck/check-database.ts';
import { scanVault } from '../../bin/scan-vault.ts';
import { NodeCryptography } from '../../bin/verify/node-cryptography.ts';
import { utf8Bytes } from '../../domain/bytes.ts';
import type { Sequence, World } from '../../domain/types.ts';
import { readEvidence, readExportHeader, StreamVerifier, verifyBundle } from '../../domain/verify/verify.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { LogScan } from '../../storage/postgres/log-scan.ts';
import { batchOf, newStore, randomEvent } from '../support/event-log.ts';
import { fillStore, type FilledStore, storeQuery } from '../support/filled-store.ts';
import { adminKey as nodeAdminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, serverNames, type TestDatabase } from '../support/postgres.ts';
import { openTestLog } from '../support/postgres-event-log.ts';
import { type CliEnding, runCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { newAgent, signedEvent } from '../support/ves-events.ts';
import { adminKey, openVesNode, type VesNode } from '../support/ves-node.ts';

const master = randomBytes(32);
const masterKeys = { general: [master], byTenant: new Map<string, Buffer[]>() };
const required = { PAYLOAD_ENCRYPTION_MODE: 'required', PAYLOAD_ENCRYPTION_KEYS: master.toString('hex') };

function eraseTenant(database: TestDatabase, tenantId: string, ...rest: string[]): Promise<CliEnding> {
  return runCli(['erase-tenant', tenantId, '--database-url', database.url, ...rest], {});
}

async function tokenFor(database: TestDatabase, tenantId: string): Promise<string> {
  const { code, stdout } = await eraseTenant(database, tenantId);
  expect(code).toBe(0);
  return /--confirm ([0-9a-f]{32})$/m.exec(stdout)![1]!;
}

describe.each(serverNames)('erasing a tenant on %s', (server) => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let nodes: readonly VesNode[];
  let store: FilledStore;
  let other: FilledStore;

  beforeAll(async () => {
    database = await createTestDatabase(server);
    pool = new pg.Pool({ connectionString: database.url, max: 2 });
    nodes = [
      await openVesNode(database.url, { env: required }),
      await openVesNode(database.url, { env: required }),
    ];
    store = await fillStore(nodes[0]!);
    other = await fillStore(nodes[1]!);
  });
  afterAll(async () => {
    for (const node of nodes ?? []) await node.close();
    await pool?.end();
    await database?.drop();
  });

  const payloadOf = async (node: VesNode, of = store): Promise<unknown> => {
    const answer = await node.send('GET', `/api/v1/ves/events?${storeQuery(of)}&limit=1`);
    return answer.json.events[0].event.payload;
  };

  test('takes a token that is right and not too old, and nothing in plain', async () => {
    const { tenantId } = store;
    const { stdout } = await eraseTenant(database, tenantId);
    expect(stdout).toContain('has 1 stores with 18 legacy and 18 signed events, and 1 keys.');
    const refused = { code: 1, stderr: expect.stringContaining('not the token of the first step') };
    await expect(eraseTenant(database, tenantId, '--confirm', 'f'.repeat(32))).resolves.toMatchObject(
      refused,
    );
    const token = await tokenFor(database, tenantId);
    await pool.query("update erasure_requests set expires_at = now() - interval '1 second'");
    await expect(eraseTenant(database, tenantId, '--confirm', token)).resolves.toMatchObject(refused);
    const fresh = await tokenFor(database, tenantId);
    await expect(eraseTenant(database, other.tenantId, '--confirm', fresh)).resolves.toMatchObject(refused);
    expect(await payloadOf(nodes[0]!)).toEqual({ index: 0, note: 'π', total: 99.5 });

    const plain = await openTestLog(database.url);
    const claim = await plain.log.claim(newStore(), 'node');
    const keyless = claim.tenantId;
    await plain.log.append(batchOf(claim, 0, [randomEvent()]));
    await plain.close();
    await expect(eraseTenant(database, keyless)).resolves.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('1 payloads of the tenant are stored without encryption'),
    });
  });

  test('every node forgets the payloads within a second, and takes nothing more for the tenant', async () => {
    for (const node of nodes) expect(await payloadOf(node)).not.toBeNull();
    const token = await tokenFor(database, store.tenantId);
    const forgotten = nodes.map(async (node) => {
      await until('it is forgotten', async () => (await payloadOf(node)) === null);
      return Date.now();
    });
    const ending = await eraseTenant(database, store.tenantId, '--confirm', token);
    expect(ending).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is erased: 1 keys are destroyed'),
    });
    const { rows } = await pool.query<{ erased_at: Date }>('select erased_at from erased_tenants');
    for (const forgottenAt of await Promise.all(forgotten)) {
      // A second after the commit, which comes some time after the moment that is recorded; and a read takes its time.
      expect(forgottenAt - rows[0]!.erased_at.getTime()).toBeLessThan(1_500);
    }
    const legacy = legacyRequest(store.tenantId, store.storeId);
    for (const node of nodes) {
      const refusedLegacy = await node.send('POST', '/api/v1/events/ingest', legacy);
      expect([refusedLegacy.status, refusedLegacy.json.error]).toEqual([
        410,
        { code: 'TENANT_ERASED', numeric_code: 4006, message: expect.stringContaining('was erased') },
      ]);
      const [agent] = store.agents;
      expect((await node.ingest(agent!.agentId, [signedEvent(agent!)])).status).toBe(410);
      const elsewhere = legacyRequest(store.tenantId, randomUUID());
      expect((await node.send('POST', '/api/v1/events/ingest', elsewhere)).status).toBe(410);
    }
    const [agent] = other.agents;
    expect((await nodes[0]!.ingest(agent!.agentId, [signedEvent(agent!)])).json).toMatchObject({
      eventsAccepted: 1,
    });
    const audit = await pool.query(
      'select action, success from audit_log where tenant_id = $1 order by id desc limit 2',
      [store.tenantId],
    );
    expect(audit.rows).toEqual([
      { action: 'tenant_erased', success: true },
      { action: 'tenant_erasure_requested', success: true },
    ]);
    const again = await eraseTenant(database, store.tenantId);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/was erased at 20/) });
  });

  test('reads say so in every form', async () => {
    const node = nodes[1]!;
    const erased = { payload: null, payload_erased: true };
    const lists = await Promise.all([
      node.send('GET', `/api/v1/events?${storeQuery(store)}`),
      node.send('GET', `/api/v1/entities/order/ORD-1?${storeQuery(store)}`),
      node.send('GET', `/api/v1/ves/events?${storeQuery(store)}`),
    ]);
    expect(lists.map(({ json }) => json.count)).toEqual([18, 5, 18]);
    for (const { envelope } of [...lists[0].json.events, ...lists[1].json.events]) {
      expect(envelope).toMatchObject({ ...erased, payload_hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    }
    const signed = lists[2].json.events.map(({ event }: { event: Record<string, unknown> }) => event);
    expect(signed[0]).toMatchObject({ payload_kind: 0, ...erased });
    expect(signed[2]).toMatchObject({ payload_kind: 1, payload_encrypted: null, payload_erased: true });
    expect(signed[2].payload).toBeUndefined();
    const one = await node.send('GET', `/api/v1/ves/events/${signed[0].event_id}?${storeQuery(store)}`);
    expect(one.json.event).toMatchObject(erased);
  });

  test('proofs, commitments and exports still hold, and tell what can not be checked', async () => {
    const node = nodes[0]!;
    for (const world of ['ves/', ''] as const) {
      for (const sequence of [2, 3]) {
        const path = `/api/v1/${world}proofs/${sequence}/bundle?${storeQuery(store)}`;
        const evidence = readEvidence(utf8Bytes((await node.send('GET', path)).text), nodeSha256);
        if (evidence.kind !== 'bundle') throw new Error(evidence.kind);
        const { holds, checks, lacksKeys } = verifyBundle(evidence.bundle);
        expect({ holds, lacksKeys }).toEqual({ holds: true, lacksKeys: false });
        expect(checks.filter((check) => check.holds === null)).toEqual([
          expect.objectContaining({
            detail: expect.stringMatching(/^the payload was erased with its tenant/),
          }),
        ]);
      }
    }
    for (const path of ['/api/v1/ves/commitments', '/api/v1/commitments']) {
      const range = {
        tenant_id: store.tenantId,
        store_id: store.storeId,
        sequence_start: 14,
        sequence_end: 18,
      };
      expect((await node.send('POST', path, range)).status).toBe(200);
    }
    const client = new SequencerClient({ url: node.url, apiKey: adminKey, connectionsMax: 1 });
    for (const world of ['legacy', 'ves'] as const) {
      const stream = { ...store, world };
      const fromDatabase = await databaseSource(new LogScan(pool), scanVault(pool, masterKeys), stream, () =>
        Promise.resolve(),
      );
      for (const source of [fromDatabase, httpSource(client, stream)]) {
        const report = await verifyExport(source, world);
        expect(report).toMatchObject({ holds: true, lacksKeys: false });
        const unchecked =
          (report.counts['payload-hash']?.unchecked ?? 0) + (report.counts['cipher-hash']?.unchecked ?? 0);
        expect(unchecked).toBe(18);
        expect(report.counts.root).toMatchObject({ held: 4, failed: 0 });
      }
    }
    client.close();
  });

  async function verifyExport(source: ExportSource, world: World) {
    const lines: Uint8Array[] = [];
    await exportStream({
      source,
      stream: { tenantId: store.tenantId, storeId: store.storeId, world },
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

  test('fsck tells erased from damaged', async () => {
    const scope = { databaseUrl: database.url, tenantId: store.tenantId, storeId: null, jobs: 1 };
    const fsck = () => checkDatabase({ ...scope, masterKeys, onProgress: () => undefined });
    await expect(fsck()).resolves.toMatchObject({ holds: true, erasedPayloads: 36, unreadablePayloads: 0 });
    // The same keys lost without anyone having wanted it.
    const { rows } = await pool.query('delete from erased_tenants where tenant_id = $1 returning *', [
      store.tenantId,
    ]);
    const { findings } = await fsck();
    expect(findings).toHaveLength(36);
    expect(findings[0]).toMatchObject({
      detail: 'its tenant has no payload key 1, and no erasure is recorded',
    });
    await pool.query('insert into erased_tenants values ($1, $2, $3)', [
      rows[0].tenant_id,
      rows[0].erased_at,
      rows[0].keys_destroyed,
    ]);
    const reencrypted = await runCli(
      ['reencrypt', '--database-url', database.url, '--tenant-id', store.tenantId],
      required,
    );
    expect(reencrypted).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('updated 0\nskipped_current_key 0\nerased 36'),
    });
  });

  test('what is answered before the erasure is erased, and nothing is answered after it', async () => {
    const logs = await Promise.all(
      [0, 1].map(() => openTestLog(database.url, { encryption: { mode: 'required', masterKeys } })),
    );
    const { tenantId } = newStore();
    let acknowledged = 0;
    const write = async (log: (typeof logs)[number]['log']): Promise<string> => {
      const mine = { tenantId, storeId: randomUUID() as never };
      for (let claim = await log.claim(mine, 'writer'), head = 0; ;) {
        const outcome = await log.append(batchOf(claim, head, [randomEvent()]));
        if (outcome.kind === 'fenced')
          claim = await log.claim(mine, 'writer'); // Throws: nobody may.
        else head += 1;
        if (outcome.kind === 'appended') acknowledged += 1;
      }
    };
    const writers = logs.flatMap(({ log }) => [write(log), write(log), write(log)]);
    const endings = Promise.allSettled(writers);
    await until('they write', () => acknowledged > 30);
    const token = await tokenFor(database, tenantId);
    await expect(eraseTenant(database, tenantId, '--confirm', token)).resolves.toMatchObject({ code: 0 });
    for (const ending of await endings) {
      expect(ending).toMatchObject({ status: 'rejected', reason: { code: 'TENANT_ERASED' } });
    }
    const { rows } = await pool.query(
      `select count(*)::int as events, count(encryption_key_number)::int as sealed,
              (select count(*)::int from payload_keys where tenant_id = $1) as keys
         from legacy_events join streams using (store_number) where tenant_id = $1`,
      [tenantId],
    );
    expect(rows).toEqual([{ events: acknowledged, sealed: acknowledged, keys: 0 }]);
    await Promise.all(logs.map((opened) => opened.close()));
  });
});

test('no output of a node or a command holds a key', async () => {
  const database = await createTestDatabase();
  const nodes = new TestNodes();
  const own = randomBytes(32);
  const agent = newAgent();
  const env = {
    ...required,
    PAYLOAD_ENCRYPTION_KEYS_BY_TENANT: JSON.stringify({ [agent.tenantId]: own.toString('base64') }),
  };
  const texts: string[] = [];
  try {
    const node = await nodes.start({ ...env, DATABASE_URL: database.url, LOG_LEVEL: 'debug' });
    const send = async (path: string, body?: object): Promise<void> => {
      const response = await fetch(node.url + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `ApiKey ${nodeAdminKey}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      texts.push(await response.text());
    };
    await send('/api/v1/events/ingest', legacyRequest(agent.tenantId, agent.storeId));
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    await pool.query('update legacy_events set payload = set_byte(payload, 30, get_byte(payload, 30) # 1)');
    for (const path of [
      `/api/v1/events?${storeQuery(agent)}`,
      '/metrics',
      '/health',
      '/ready',
      '/api/v1/admin/audit',
    ]) {
      await send(path);
    }
    const commands = [
      ['reencrypt', '--database-url', database.url],
      ['fsck', '--database-url', database.url],
      ['erase-tenant', agent.tenantId, '--database-url', database.url],
    ];
    for (const args of commands) {
      const { stdout, stderr } = await runCli(args, env);
      texts.push(stdout, stderr);
    }
    const { rows } = await pool.query('select details::text from audit_log');
    texts.push(...rows.map((row) => row.details));
    await pool.end();
    await node.stop();
    expect(node.output).toContain('Payloads are encrypted at rest: PAYLOAD_ENCRYPTION_MODE is required');
    texts.push(node.output);
  } finally {
    await nodes.stop();
    await database.drop();
  }
  // A wrong value is not shown either.
  const wrong = await runCli(['fsck', '--database-url', database.url], {
    PAYLOAD_ENCRYPTION_KEYS: `${master.toString('hex')}!`,
  });
  texts.push(wrong.stdout, wrong.stderr);
  const all = texts.join('\n').toLowerCase();
  for (const key of [master, own]) {
    for (const text of [key.toString('hex'), key.toString('base64'), key.toString('base64url')]) {
      expect(all.includes(text.slice(0, 20).toLowerCase())).toBe(false);
    }
  }
});

function legacyRequest(tenantId: string, storeId: string): object {
  const event = {
    event_id: randomUUID(),
    tenant_id: tenantId,
    store_id: storeId,
    entity_type: 'order',
    entity_id: 'A',
    event_type: 'made',
    payload: { total: 1 },
    created_at: '2025-12-20T18:31:22Z',
  };
  return { agent_id: randomUUID(), events: [event] };
}
