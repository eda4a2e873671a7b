import fc from 'fast-check';
import pg from 'pg';
import { type IngestAnswer, SequencerClient } from '../../bin/driver/sequencer-client.ts';
import { ingestBodies } from '../support/body-arbitrary.ts';
import { newStore } from '../support/client-load.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const nodes = new TestNodes();
let database: TestDatabase;
let client: SequencerClient;
let sql: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  const node = await nodes.start({ DATABASE_URL: database.url });
  client = new SequencerClient({ url: node.url, apiKey: adminKey, connectionsMax: 1 });
  sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
});
afterAll(async () => {
  client.close();
  await sql.end();
  await nodes.stop();
  await database.drop();
});

/** What http-api section 7.2 allows; anything else, a 500 above all, is a fault. */
const allowedStatuses = [200, 400, 403, 413, 422];

test('no body gets a 500, and a refused event leaves no trace', async () => {
  const store = newStore();
  const acceptedIds = new Set<string>();
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(ingestBodies(store), async (body) => {
      const answer = await client.send('POST', '/api/v1/events/ingest', body);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      expect(allowedStatuses).toContain(answer.status);
      if (answer.status === 200) {
        const { events_accepted, receipts = [] } = JSON.parse(answer.body) as IngestAnswer;
        expect(receipts).toHaveLength(events_accepted);
        for (const receipt of receipts) acceptedIds.add(receipt.event_id);
      } else {
        expect(answer.body.length).toBeGreaterThan(10); // A sentence that says what is wrong.
      }
      expect(await storedEvents()).toEqual({ events: acceptedIds.size, heads: acceptedIds.size });
    }),
    { numRuns: 600, interruptAfterTimeLimit: 40_000 },
  );
  console.log(`answers by status: ${JSON.stringify(Object.fromEntries([...statuses].sort()))}`);

  const { rows } = await sql.query<{ event_id: string }>('select event_id from legacy_events');
  expect(new Set(rows.map(({ event_id }) => event_id))).toEqual(acceptedIds);
  // Good and bad bodies were both met.
  expect(acceptedIds.size).toBeGreaterThan(0);
  expect(statuses.get(400)).toBeGreaterThan(0);
  expect(statuses.get(422)).toBeGreaterThan(0);
});

/** All streams count: a body may name any store. */
async function storedEvents(): Promise<{ events: number; heads: number }> {
  const { rows } = await sql.query<{ events: string; heads: string }>(
    `select (select count(*) from legacy_events) as events,
            (select coalesce(sum(legacy_head), 0) from streams) as heads`,
  );
  return { events: Number(rows[0]?.events), heads: Number(rows[0]?.heads) };
}
