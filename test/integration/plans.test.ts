import pg from 'pg';
import { commitmentLag } from '../../storage/postgres/queries/commitment-lag.query.ts';
import { dueStreams } from '../../storage/postgres/queries/due-streams.query.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client(database.url);
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

test.each([
  [commitmentLag, ''],
  [dueStreams, "(1, 5, '{}', '{}', '{}', 10)"],
])('a plan of %j made on empty tables finds an event by its number', async ({ name, text }, parameters) => {
  await client.query('set plan_cache_mode = force_generic_plan');
  await client.query(`prepare ${name} as ${text}`);
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain execute ${name}${parameters}`);
  const scans = rows.map((row) => row['QUERY PLAN']).filter((line) => /(legacy|ves)_events/.test(line));
  expect(scans).toEqual([
    expect.stringContaining('Index Scan using legacy_events_pkey'),
    expect.stringContaining('Index Scan using ves_events_pkey'),
  ]);
});
