import pg from 'pg';
import { commitmentLag } from '../../storage/postgres/queries/commitment-lag.query.ts';
import { dueStreams } from '../../storage/postgres/queries/due-streams.query.ts';
import { keepPlans } from '../../storage/postgres/kept-plans-client.ts';
import { addCommitments } from '../../storage/postgres/queries/add-commitments.query.ts';
import { insertCommitment } from '../../storage/postgres/queries/insert-commitment.query.ts';
import { readChains } from '../../storage/postgres/queries/read-chains.query.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let client: pg.Client;

async function planOf(name: string, text: string, parameters: string): Promise<string[]> {
  await client.query(`prepare ${name} as ${text}`);
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    `explain (costs off) execute ${name}${parameters}`,
  );
  return rows.map((row) => row['QUERY PLAN'].trim());
}

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client(database.url);
  await client.connect();
});

// Settings end with their transaction.
beforeEach(() => client.query('begin'));
afterEach(() => client.query('rollback'));

afterAll(async () => {
  await client.end();
  await database.drop();
});

test.each([
  [commitmentLag, ''],
  [dueStreams, "(1, 5, '{}', '{}', '{}', 10)"],
])('a plan of %j made on empty tables finds an event by its number', async ({ name, text }, parameters) => {
  await client.query('set local plan_cache_mode = force_generic_plan');
  const scans = (await planOf(name, text, parameters)).filter((line) => /(legacy|ves)_events/.test(line));
  expect(scans).toEqual([
    expect.stringContaining('Index Scan using legacy_events_pkey'),
    expect.stringContaining('Index Scan using ves_events_pkey'),
  ]);
});

/** How a plan gets at the rows of tables, with the conditions that the index answers. */
function accesses(plan: readonly string[]): string[] {
  return plan.flatMap((line, index) => {
    const [, access] =
      /(\w[\w ]* Scan (?:Backward )?using \w+|Seq Scan on \w+|Bitmap \w+ Scan on \w+)/.exec(line) ?? [];
    const [, condition] = /^Index Cond: (.*)/.exec(plan[index + 1] ?? '') ?? [];
    return access === undefined ? [] : [`${access} ${condition ?? ''}`];
  });
}

test.each([
  [
    readChains,
    4,
    [
      'Index Scan using streams_tenant_id_store_id_key ((tenant_id = w.tenant_id) AND (store_id = w.store_id))',
      "Index Scan using commitment_chains_pkey ((store_number = streams.store_number) AND (world = 'ves'::text))",
      "Index Scan Backward using commitments_start ((store_number = streams.store_number) AND (world = 'ves'::text))",
      'Index Scan using ves_events_pkey ((store_number = streams.store_number) AND (sequence >= w.sequence_start) AND (sequence <= LEAST(w.sequence_end, streams.ves_head)))',
    ],
  ],
  [
    addCommitments,
    13,
    [
      "Index Scan using commitment_chains_pkey ((store_number = n_1.store_number) AND (world = 'ves'::text))",
      expect.stringMatching(
        /^Index Scan using commitment_chains_pkey \(\(store_number = ANY \(.*\)\) AND \(world = 'ves'::text\)\)$/,
      ),
    ],
  ],
  [
    insertCommitment,
    12,
    [
      'Index Scan using commitment_chains_pkey ((store_number = $2) AND (world = $3))',
      'Index Scan Backward using commitments_start ((store_number = $2) AND (world = $3))',
      'Index Scan using streams_pkey (store_number = c.store_number)',
    ],
  ],
])(
  'a kept plan of %j made on empty tables enters each by its key',
  async ({ name, text }, count, expected) => {
    await client.query(keepPlans);
    const parameters = `(${Array.from({ length: count }, () => 'null').join(', ')})`;
    expect(accesses(await planOf(name, text, parameters))).toEqual(expected);
  },
);
