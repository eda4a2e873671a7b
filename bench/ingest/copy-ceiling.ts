import pg from 'pg';
import { samplePayloads } from '../load/request-template.ts';
import { runCopy } from '../storage/copy-in.ts';
import { copyRows, RowEncoder } from './row-encoder.ts';

export interface CopyPlan {
  readonly databaseUrl: string;
  readonly payload: string;
  readonly connections: number;
  readonly measureMs: number;
}

const rowsPerCopyMax = 2_000;
/** Larger rows come in smaller numbers. */
const bytesPerCopy = 4 << 20;
/** Store numbers that no store gets; the table has no foreign key, and each connection takes one of its own. */
let nextStoreNumber = 9_000_000_000_000;

/**
 * Rows a second of binary COPY into the table of events, with its indexes: what this Postgres can take when nobody
 * parses, hashes, sequences, fences or answers. Rows are encoded while the ones before them are on their way.
 */
export async function measureCopy({
  databaseUrl,
  payload,
  connections,
  measureMs,
}: CopyPlan): Promise<number> {
  const payloads = samplePayloads(payload, 200).map((text) => Buffer.from(text));
  const startMs = performance.now();
  const untilMs = startMs + measureMs;
  const counts = await Promise.all(
    Array.from({ length: connections }, () => copyUntil(databaseUrl, payloads, untilMs)),
  );
  const rows = counts.reduce((sum, count) => sum + count, 0);
  return rows / ((performance.now() - startMs) / 1_000);
}

async function copyUntil(databaseUrl: string, payloads: readonly Buffer[], untilMs: number): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('set synchronous_commit = on');
    nextStoreNumber += 1;
    const rowsPerCopy = Math.max(1, Math.min(rowsPerCopyMax, Math.floor(bytesPerCopy / payloads[0]!.length)));
    const encoder = new RowEncoder({ storeNumber: nextStoreNumber, payloads });
    let rows = encoder.encode(rowsPerCopy);
    let count = 0;
    while (performance.now() < untilMs) {
      const copied = runCopy(client, copyRows, rows);
      rows = encoder.encode(rowsPerCopy);
      await copied;
      count += rowsPerCopy;
    }
    return count;
  } finally {
    await client.end();
  }
}
