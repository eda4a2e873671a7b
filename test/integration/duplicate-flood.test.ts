import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  type ClientEvent,
  type IngestAnswer,
  SequencerClient,
  type StoreName,
} from '../../bin/driver/sequencer-client.ts';
import { newEvent, newStore } from '../support/client-load.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const nodes = new TestNodes();
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  // Dead rows are what is counted here, so nobody may clean them up meanwhile.
  await onDatabase(async (client) => {
    for (const table of ['legacy_events', 'streams', 'entity_counts', 'entity_watermarks']) {
      await client.query(`alter table ${table} set (autovacuum_enabled = false)`);
    }
  });
});
afterAll(async () => {
  await nodes.stop();
  await database.drop();
});

const batches = 60;
const newPerBatch = 25;
const repeatsPerBatch = 25;

test.each([
  ['with a cache of recent ids', {}],
  ['without one', { RECENT_IDS_MAX: '1' }],
])('repeats in every batch leave fewer dead rows than accepted events, %s', async (_name, env) => {
  const node = await nodes.start({ DATABASE_URL: database.url, ...env });
  const client = new SequencerClient({ url: node.url, apiKey: adminKey, connectionsMax: 4 });
  const [flooded, neighbour] = [newStore(), newStore()];
  const before = await countRows();

  const [flood, calm] = await Promise.all([
    appendBatches(client, flooded, repeatsPerBatch),
    appendBatches(client, neighbour, 0),
  ]);

  expect(flood).toEqual({ accepted: batches * newPerBatch, rejected: (batches - 1) * repeatsPerBatch });
  expect(calm).toEqual({ accepted: batches * newPerBatch, rejected: 0 });
  const accepted = flood.accepted + calm.accepted;
  expect(await client.head(flooded)).toBe(flood.accepted);
  client.close();
  await node.stop(); // Its sessions hand in their statistics at their end.
  await until(
    'the statistics are in',
    async () => (await countRows()).inserted >= before.inserted + accepted,
  );
  const dead = (await countRows()).dead - before.dead;
  console.log(`${accepted} events accepted, ${flood.rejected} repeats refused, ${dead} dead rows left`);
  expect(dead).toBeLessThan(accepted);
});

/** Batches of new events, each with repeats of events that earlier batches stored; one after the other. */
async function appendBatches(
  client: SequencerClient,
  store: StoreName,
  repeats: number,
): Promise<{ accepted: number; rejected: number }> {
  const agentId = randomUUID();
  const sequences = new Map<string, number>();
  const stored: ClientEvent[] = [];
  let rejected = 0;
  for (let batch = 0; batch < batches; batch += 1) {
    const fresh = Array.from({ length: newPerBatch }, () => newEvent());
    const again = new Set(
      stored.length === 0
        ? []
        : Array.from({ length: repeats }, (_, index) => stored[(batch * 7 + index) % stored.length]),
    );
    const events = [...again, ...fresh].filter((event) => event !== undefined);
    const outcome = await client.append(store, agentId, events);
    if (outcome.kind !== 'acknowledged') throw new Error(JSON.stringify(outcome));
    rejected += checkRejections(outcome.answer, sequences);
    for (const receipt of outcome.answer.receipts ?? [])
      sequences.set(receipt.event_id, receipt.sequence_number);
    stored.push(...fresh);
  }
  return { accepted: sequences.size, rejected };
}

/** Every refused event is a repeat, and the answer says where the event lies. */
function checkRejections({ rejections = [] }: IngestAnswer, sequences: ReadonlyMap<string, number>): number {
  for (const rejection of rejections) {
    expect(rejection).toMatchObject({
      reason: 'DuplicateEventId',
      sequence_number: sequences.get(rejection.event_id),
    });
  }
  return rejections.length;
}

async function countRows(): Promise<{ inserted: number; dead: number }> {
  return onDatabase(async (client) => {
    const { rows } = await client.query<{ inserted: string; dead: string }>(
      `select sum(n_tup_ins) filter (where relname = 'legacy_events') as inserted, sum(n_dead_tup) as dead
         from pg_stat_user_tables`,
    );
    return { inserted: Number(rows[0]?.inserted), dead: Number(rows[0]?.dead) };
  });
}

async function onDatabase<Result>(run: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
