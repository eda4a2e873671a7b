import pg from 'pg';

/** One step of a session: a statement, or what ends its transaction. Returns what is worth comparing, or nothing. */
export interface Step {
  readonly name: string;
  run(client: pg.Client): Promise<string | undefined>;
}

/** All ways to merge two lists that keep the order within each. */
export function interleavings<Item>(first: readonly Item[], second: readonly Item[]): Item[][] {
  const [a, b] = [first[0], second[0]];
  if (a === undefined) return [[...second]];
  if (b === undefined) return [[...first]];
  return [
    ...interleavings(first.slice(1), second).map((rest) => [a, ...rest]),
    ...interleavings(first, second.slice(1)).map((rest) => [b, ...rest]),
  ];
}

/**
 * Runs the steps of two sessions in the given order, each session on a connection of its own. A step begins once the one
 * before it has ended or waits for a lock; what a waiting session does next begins when it waits no more.
 *
 * @returns what the steps returned, by name
 */
export async function runInterleaved(
  url: string,
  sessions: readonly (readonly Step[])[],
  order: readonly Step[],
): Promise<Record<string, string>> {
  const results: Record<string, string> = {};
  const lanes = await Promise.all(sessions.map((steps) => openLane(url, steps)));
  const observer = await connect(url);
  try {
    for (const step of order) {
      const lane = lanes.find(({ steps }) => steps.includes(step))!;
      lane.pending++;
      lane.tail = lane.tail.then(async () => {
        const result = await step.run(lane.client);
        if (result !== undefined) results[step.name] = result;
        lane.pending--;
      });
      while (lane.pending > 0 && !(await waitsForLock(observer, lane.pid))) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await Promise.all(lanes.map((lane) => lane.tail));
    return results;
  } finally {
    await Promise.all([observer, ...lanes.map(({ client }) => client)].map((client) => client.end()));
  }
}

interface Lane {
  readonly client: pg.Client;
  readonly pid: number;
  readonly steps: readonly Step[];
  tail: Promise<void>;
  pending: number;
}

async function openLane(url: string, steps: readonly Step[]): Promise<Lane> {
  const client = await connect(url);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return { client, pid: rows[0]!.pid, steps, tail: Promise.resolve(), pending: 0 };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

async function waitsForLock(observer: pg.Client, pid: number): Promise<boolean> {
  const text = 'select cardinality(pg_blocking_pids($1)) > 0 as waits';
  const { rows } = await observer.query<{ waits: boolean }>(text, [pid]);
  return rows[0]!.waits;
}
