import type pg from 'pg';
import { SequencerError } from '../../domain/errors.ts';
import { DeadLetterDesk } from '../../services/projections/dead-letter-desk.ts';
import { StreamProjector } from '../../services/projections/stream-projector.ts';
import { systemClock } from '../../services/system-clock.ts';
import { postgresProjections } from '../../storage/postgres/postgres-projections.ts';
import type { Projections } from '../../storage/projections.ts';
import { exitCodes } from '../commands/exit-codes.ts';
import { projectionClaimSecs } from '../open-projections.ts';
import { ownDatabase } from '../own-database.ts';
import { masterKeysOfEnvironment } from '../payload-encryption.ts';
import { openScanPool } from '../scan-database.ts';
import { scanVault } from '../scan-vault.ts';
import { StartProblem } from '../start-problem.ts';

/** What the commands around projections work with. */
export interface DatabaseProjections {
  readonly pool: pg.Pool;
  readonly projections: Projections;
  readonly projector: StreamProjector;
  readonly desk: DeadLetterDesk;
}

/**
 * Runs a command on a database, that of a node with the same environment unless a URL is given, and sets the exit code.
 * @param work returns the exit code
 */
export async function withProjections(
  databaseUrl: string | undefined,
  work: (on: DatabaseProjections) => Promise<number>,
): Promise<void> {
  try {
    const masterKeys = masterKeysOfEnvironment();
    const database = databaseUrl === undefined ? await ownDatabase() : null;
    try {
      const pool = await openScanPool(databaseUrl ?? database?.url ?? '');
      try {
        const vault = scanVault(pool, masterKeys);
        const projections = postgresProjections({ pool, vault, claimSecs: projectionClaimSecs });
        const nobody = () => undefined;
        const projector = new StreamProjector({
          projections,
          clock: systemClock,
          random: Math.random,
          observer: { projected: nobody, deadLettersAdded: nobody, deadLetterRetried: nobody },
        });
        const desk = new DeadLetterDesk({ projections, projector, onDiscarded: nobody });
        process.exitCode = await work({ pool, projections, projector, desk });
      } finally {
        await pool.end();
      }
    } finally {
      await database?.close();
    }
  } catch (error) {
    console.error(describe(error));
    const isRefused = error instanceof SequencerError && error.kind === 'rejected';
    process.exitCode = isRefused ? exitCodes.failed : exitCodes.unusable;
  }
}

function describe(error: unknown): string {
  if (error instanceof SequencerError || error instanceof StartProblem) return error.message;
  // The system's and Postgres' errors have codes; whatever has none is a fault of ours.
  if (error instanceof Error && 'code' in error) return error.message;
  throw error;
}
