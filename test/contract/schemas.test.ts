import pg from 'pg';
import type { NewSchema, RegisteredSchema } from '../../domain/schema/schema.ts';
import type { Uuid } from '../../domain/types.ts';
import { systemClock } from '../../services/system-clock.ts';
import { MemorySchemas } from '../../storage/memory/memory-schemas.ts';
import { postgresSchemas } from '../../storage/postgres/schemas.ts';
import type { Schemas } from '../../storage/schemas.ts';
import { createTestDatabase, serverNames } from '../support/postgres.ts';

let lastTenant = 0;
/** A tenant that no other test has. */
function newTenant(): Uuid {
  lastTenant += 1;
  return `dddddddd-0000-4000-8000-${lastTenant.toString().padStart(12, '0')}` as Uuid;
}

function newSchema(fields: Partial<NewSchema> = {}): NewSchema {
  return {
    tenantId: newTenant(),
    eventType: 'order.created',
    version: 1,
    json: '{"type":"object","properties":{"\\u0000 ÿ":{"minimum":1.0}}}',
    description: null,
    compatibility: 'backward',
    createdBy: null,
    ...fields,
  };
}

interface Opened {
  readonly schemas: Schemas;
  readonly close: () => Promise<void>;
}

const implementations: readonly (readonly [string, () => Promise<Opened>])[] = [
  [
    'memory',
    () =>
      Promise.resolve({
        schemas: new MemorySchemas(() => systemClock.nowMicros()),
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
          pool.on('error', () => undefined);
          const close = async (): Promise<void> => {
            await pool.end();
            await database.drop();
          };
          return { schemas: postgresSchemas(pool), close };
        },
      ] as const,
  ),
];

describe.each(implementations)('schemas in %s', (_name, open) => {
  let opened: Opened;
  let schemas: Schemas;
  beforeAll(async () => {
    opened = await open();
    schemas = opened.schemas;
  });
  afterAll(() => opened.close());

  async function register(schema: NewSchema): Promise<RegisteredSchema> {
    const registered = await schemas.register(schema);
    if (registered === null) throw new Error('not the next version');
    return registered;
  }

  test('what nobody registered is found to be nothing', async () => {
    const { tenantId, eventType } = newSchema();
    expect(await schemas.find(tenantId, null)).toBeNull();
    expect(await schemas.findVersion({ tenantId, eventType }, 1)).toBeNull();
    expect(await schemas.findActive({ tenantId, eventType })).toBeNull();
    expect(await schemas.list(tenantId, 10)).toEqual([]);
    expect(await schemas.listActive(tenantId, 10)).toEqual([]);
    expect(await schemas.countEventTypes(tenantId)).toBe(0);
    expect(await schemas.setStatus(tenantId, null, 'archived')).toBeNull();
    expect(await schemas.remove(tenantId, null)).toBeNull();
  });

  test('a schema comes back as it was registered, active', async () => {
    const schema = newSchema({ description: 'an order', compatibility: 'full', createdBy: newTenant() });
    const registered = await register(schema);
    expect(registered).toEqual({
      ...schema,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: 'active',
      createdAt: expect.any(BigInt),
      updatedAt: registered.createdAt,
    });
    expect(await schemas.find(registered.id, null)).toEqual(registered);
    expect(await schemas.find(registered.id, schema.tenantId)).toEqual(registered);
    expect(await schemas.findVersion(schema, 1)).toEqual(registered);
    expect(await schemas.findActive(schema)).toEqual(registered);
    expect(await schemas.listVersions(schema, 10)).toEqual([registered]);
  });

  test('versions count up by one, and of many that come at once one gets through', async () => {
    const schema = newSchema();
    expect(await schemas.register({ ...schema, version: 2 })).toBeNull();
    const attempts = await Promise.all(Array.from({ length: 8 }, () => schemas.register(schema)));
    expect(attempts.filter((registered) => registered !== null)).toHaveLength(1);
    await register({ ...schema, version: 2 });
    expect(await schemas.register(schema)).toBeNull();
    // Another event type and another tenant count for themselves.
    await register({ ...schema, eventType: 'order.paid' });
    await register(newSchema());
    expect(await schemas.countEventTypes(schema.tenantId)).toBe(2);
  });

  test('lists are by event type, newest first, and bounded', async () => {
    const schema = newSchema();
    for (const [eventType, version] of [
      ['b', 1],
      ['b', 2],
      ['a', 1],
      ['B', 1],
    ] as const) {
      await register({ ...schema, eventType, version });
    }
    const listed = async (limit: number) =>
      (await schemas.list(schema.tenantId, limit)).map(({ eventType, version }) => `${eventType}${version}`);
    expect(await listed(10)).toEqual(['B1', 'a1', 'b2', 'b1']);
    expect(await listed(2)).toEqual(['B1', 'a1']);
    const versions = await schemas.listVersions({ ...schema, eventType: 'b' }, 1);
    expect(versions.map(({ version }) => version)).toEqual([2]);
    expect(await schemas.listActive(schema.tenantId, 2)).toHaveLength(2);
  });

  test('the highest active version is the one that counts', async () => {
    const schema = newSchema();
    const ids: Uuid[] = [];
    for (const version of [1, 2, 3]) ids.push((await register({ ...schema, version })).id);
    const active = async () => {
      const [listed] = await schemas.listActive(schema.tenantId, 10);
      const found = await schemas.findActive(schema);
      expect(listed?.id).toBe(found?.id);
      return found?.version ?? null;
    };
    expect(await active()).toBe(3);
    const deprecated = await schemas.setStatus(ids[2]!, schema.tenantId, 'deprecated');
    expect(deprecated).toMatchObject({ status: 'deprecated', version: 3 });
    expect(await active()).toBe(2);
    await schemas.setStatus(ids[1]!, null, 'archived');
    expect(await active()).toBe(1);
    await schemas.remove(ids[0]!, schema.tenantId);
    expect(await active()).toBeNull();
    await schemas.setStatus(ids[1]!, null, 'active');
    expect(await active()).toBe(2);
  });

  test("another tenant's schema is none, and stays as it is", async () => {
    const { id } = await register(newSchema());
    const other = newTenant();
    expect(await schemas.find(id, other)).toBeNull();
    expect(await schemas.setStatus(id, other, 'archived')).toBeNull();
    expect(await schemas.remove(id, other)).toBeNull();
    expect(await schemas.find(id, null)).toMatchObject({ status: 'active' });
  });

  test('the revision grows with every change, and only then', async () => {
    const { id } = await register(newSchema());
    let before = await schemas.revision();
    for (const change of [
      () => schemas.register(newSchema()),
      () => schemas.setStatus(id, null, 'deprecated'),
      () => schemas.remove(id, null),
    ]) {
      expect(await schemas.revision()).toBe(before);
      await change();
      const after = await schemas.revision();
      expect(after).toBeGreaterThan(before);
      before = after;
    }
  });
});

test('schemas in a Postgres that is not there fail as pushback', async () => {
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });
  const schemas = postgresSchemas(pool);
  await expect(schemas.revision()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await expect(schemas.register(newSchema())).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  await pool.end();
});
