import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import pino from 'pino';
import { CommitmentReader } from '../../services/commitment/commitment-reader.ts';
import { Committer } from '../../services/commitment/committer.ts';
import { openSigningKey } from '../../services/node-ed25519.ts';
import { nodeSha256, nodeSha256Stream } from '../../services/node-sha256.ts';
import { systemClock } from '../../services/system-clock.ts';
import { migrate } from '../../storage/postgres/migrate.ts';
import { createPool } from '../../storage/postgres/pool.ts';
import { PostgresCommitmentLog } from '../../storage/postgres/postgres-commitment-log.ts';
import { openScratchDatabase } from '../target/postgres.ts';
import { newUuid } from './made-up.ts';

/** A database of its own with the product's schema, and what a node makes and reads commitments with. */
export interface ScratchLog {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly committer: Committer;
  readonly reader: CommitmentReader;
  /** Closes and drops it. */
  close(): Promise<void>;
}

const connectionsMax = 10;
/** More than are ever asked for at once. */
const commitmentsAtOnceMax = 9;

export async function openScratchLog(serverUrl: string): Promise<ScratchLog> {
  const database = await openScratchDatabase(serverUrl);
  const { url } = database;
  await migrate({ url });
  const pool = openBenchPool(url);
  const log = new PostgresCommitmentLog(pool);
  return {
    url,
    pool,
    committer: openCommitter(log),
    reader: openReader(log),
    close: async () => {
      await pool.end();
      await database.drop();
    },
  };
}

/** As a node has it, with the patience that filling a table takes. */
export function openBenchPool(url: string): pg.Pool {
  return createPool({
    url,
    applicationName: 'stateset-sequencer-bench',
    ...{ connectTimeoutMs: 10_000, acquireTimeoutMs: 10_000, lockTimeoutMs: 60_000 },
    ...{ statementTimeoutMs: 600_000, idleInTransactionTimeoutMs: 600_000 },
    ...{ connectionsMax, connectionsMin: 0, idleTimeoutMs: 600_000, lifetimeMaxMs: 3_600_000 },
    log: pino({ level: 'silent' }),
  });
}

/** Signs what it makes, with a key that nobody else has. */
function openCommitter(log: PostgresCommitmentLog): Committer {
  const key = openSigningKey(new Uint8Array(randomBytes(32)));
  return new Committer({
    log,
    sha256: nodeSha256,
    sha256Stream: nodeSha256Stream,
    signer: {
      sequencerId: newUuid(),
      sign: async (hash) => ({ signature: await key.sign(hash), keyVersion: 1 }),
    },
    observer: {
      committed: () => undefined,
      refusedToPublish: (_stream, cause) => {
        throw cause;
      },
    },
    atOnceMax: commitmentsAtOnceMax,
  });
}

/** Without a cache worth the name, so that what is measured is read. */
function openReader(log: PostgresCommitmentLog): CommitmentReader {
  const limits = { commitmentsMax: 1, commitmentTtlMs: 1, proofsMax: 1, proofTtlMs: 1 };
  return new CommitmentReader({
    log,
    sha256: nodeSha256,
    clock: systemClock,
    caches: { legacy: limits, ves: limits },
  });
}
