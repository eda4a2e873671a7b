import pg from 'pg';
import type { Micros, Uuid } from '../../domain/types.ts';
import { systemClock } from '../../services/system-clock.ts';
import type { AuditEntries, AuditFilter, NewAuditEntry } from '../../storage/audit-log.ts';
import { MemoryAuditEntries } from '../../storage/memory/memory-audit-entries.ts';
import { postgresAuditEntries } from '../../storage/postgres/audit-log.ts';
import { createTestDatabase, serverNames } from '../support/postgres.ts';

const tenantA = 'aaaaaaaa-0000-4000-8000-000000000001' as Uuid;
const tenantB = 'bbbbbbbb-0000-4000-8000-000000000002' as Uuid;
const any: AuditFilter = { tenantId: null, action: null, from: null, to: null };

function entry(fields: Partial<NewAuditEntry> = {}): NewAuditEntry {
  return {
    action: 'agent_key_registered',
    actor: 'bootstrap_admin',
    actorType: 'api_key',
    tenantId: tenantA,
    resourceType: 'agent_key',
    resourceId: 'agent/1',
    requestId: 'request-1',
    ipAddress: '192.0.2.1',
    userAgent: 'a test',
    details: { keyId: 1 },
    success: true,
    errorMessage: null,
    ...fields,
  };
}

interface Opened {
  readonly entries: AuditEntries;
  readonly close: () => Promise<void>;
}

const implementations: readonly (readonly [string, () => Promise<Opened>])[] = [
  [
    'memory',
    () =>
      Promise.resolve({
        entries: new MemoryAuditEntries(() => systemClock.nowMicros()),
        close: () => Promise.resolve(),
      }),
  ],
  ...serverNames.map(
    (name) =>
      [
        `postgres, ${name}`,
        async (): Promise<Opened> => {
          const database = await createTestDatabase(name);
          const pool = new pg.Pool({ connectionString: database.url, max: 4, options: '-c timezone=UTC' });
          // Dropping the database may find a connection that the pool is still closing.
          pool.on('error', () => undefined);
          const close = async (): Promise<void> => {
            await pool.end();
            await database.drop();
          };
          return { entries: postgresAuditEntries(pool), close };
        },
      ] as const,
  ),
];

describe.each(implementations)('the audit log, %s', (_name, open) => {
  let opened: Opened;
  beforeAll(async () => (opened = await open()));
  afterAll(() => opened.close());

  test('an entry is read back as it was written', async () => {
    const written = entry({
      action: 'config_updated',
      tenantId: null,
      resourceId: null,
      requestId: null,
      ipAddress: null,
      userAgent: "'; drop table audit_log; --",
      details: { text: 'a \u0000 b', ['__proto__']: { polluted: true }, list: [1, null] },
      success: false,
      errorMessage: 'no',
    });
    await opened.entries.append(written);
    const [read] = await opened.entries.list(any, { after: null, limit: 1 });
    expect(read).toMatchObject({ ...written, details: {} });
    expect(JSON.stringify(read?.details)).toBe(JSON.stringify(written.details));
    expect(read?.id).toBeGreaterThan(0);
    expect(typeof read?.timestamp).toBe('bigint');
  });

  test('pages go from the newest entry to the oldest, without gap or repetition', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `page ${index}`);
    for (const actor of names) await opened.entries.append(entry({ actor, action: 'custom:paged' }));
    const filter = { ...any, action: 'custom:paged' };
    const seen: string[] = [];
    let after: Parameters<AuditEntries['list']>[1]['after'] = null;
    for (;;) {
      const page = await opened.entries.list(filter, { after, limit: 3 });
      seen.push(...page.map(({ actor }) => actor));
      after = page.at(-1) ?? null;
      if (after === null) break;
    }
    expect(seen).toEqual(names.reverse());
  });

  test('the latest entry is the newest of its kind about its resource', async () => {
    const about = { action: 'custom:latest', resourceType: 'thing', resourceId: 'one' } as const;
    expect(await opened.entries.latest(about)).toBeNull();
    await opened.entries.append(entry({ ...about, actor: 'first' }));
    await opened.entries.append(entry({ ...about, actor: 'second' }));
    await opened.entries.append(entry({ ...about, resourceId: 'two', actor: 'third' }));
    expect(await opened.entries.latest(about)).toMatchObject({ actor: 'second' });
  });

  test('the filters of tenant, action and time hold together', async () => {
    const act = async (tenantId: Uuid, action: NewAuditEntry['action']): Promise<void> => {
      await opened.entries.append(entry({ tenantId, action, resourceType: 'filtered' }));
    };
    await act(tenantA, 'custom:one');
    await act(tenantA, 'custom:two');
    await act(tenantB, 'custom:one');
    const list = async (filter: Partial<AuditFilter>): Promise<string[]> => {
      const found = await opened.entries.list({ ...any, ...filter }, { after: null, limit: 100 });
      return found
        .filter(({ resourceType }) => resourceType === 'filtered')
        .map(({ tenantId, action }) => `${tenantId === tenantA ? 'A' : 'B'} ${action}`);
    };
    expect(await list({})).toEqual(['B custom:one', 'A custom:two', 'A custom:one']);
    expect(await list({ tenantId: tenantA })).toEqual(['A custom:two', 'A custom:one']);
    expect(await list({ action: 'custom:one' })).toEqual(['B custom:one', 'A custom:one']);
    expect(await list({ tenantId: tenantA, action: 'custom:one' })).toEqual(['A custom:one']);
    const [newest] = await opened.entries.list({ ...any, tenantId: tenantB }, { after: null, limit: 1 });
    const { timestamp } = newest ?? { timestamp: 0n as Micros };
    expect(await list({ from: timestamp })).toEqual(expect.arrayContaining(['B custom:one']));
    expect(await list({ tenantId: tenantB, to: timestamp })).toEqual([]);
    expect(await list({ from: (timestamp + 60_000_000n) as Micros })).toEqual([]);
  });
});

test.each(serverNames)('an entry can be deleted and not altered on %s', async (server) => {
  const database = await createTestDatabase(server);
  const pool = new pg.Pool({ connectionString: database.url, max: 1, options: '-c timezone=UTC' });
  pool.on('error', () => undefined);
  try {
    await postgresAuditEntries(pool).append(entry());
    await expect(pool.query(`update audit_log set actor = 'someone else'`)).rejects.toThrow('not changed');
    expect((await pool.query('delete from audit_log')).rowCount).toBe(1);
  } finally {
    await pool.end();
    await database.drop();
  }
});

test('an unreachable database is reported as unavailable', async () => {
  const pool = new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/none' });
  await expect(postgresAuditEntries(pool).append(entry())).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await pool.end();
});
