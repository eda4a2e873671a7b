import { Command, InvalidArgumentError } from 'commander';
import type pg from 'pg';
import { SequencerError } from '../../domain/errors.ts';
import type { Uuid } from '../../domain/types.ts';
import { postgresAuditEntries } from '../../storage/postgres/audit-log.ts';
import { commandActor } from '../command-actor.ts';
import { CountProgress } from '../count-progress.ts';
import { ownDatabase } from '../own-database.ts';
import { masterKeysOfEnvironment } from '../payload-encryption.ts';
import { reencryptDatabase, type ReencryptReport } from '../reencrypt/reencrypt-database.ts';
import { openScanPool } from '../scan-database.ts';
import { StartProblem } from '../start-problem.ts';
import { exitCodes } from './exit-codes.ts';
import { readUuid } from './uuid-argument.ts';

const help = `
Wraps the tenants' keys under the first of PAYLOAD_ENCRYPTION_KEYS, and encrypts all payloads under a key that was made under
it: also those that are stored without encryption. Nodes go on working meanwhile; all of them must have the first key already.
Cut off, it goes on when it is started again. docs/data-lifecycle.md has the whole rotation.

Without --database-url it works on what a node with the same environment would use.

Exit code: 0 done, 1 some payloads were left as they are, 2 it could not be done.

Examples:
  npx --no sequencer reencrypt --dry-run
  npx --no sequencer reencrypt --tenant-id "$TENANT" --limit 100000`;

interface ReencryptCliOptions {
  readonly databaseUrl?: string;
  readonly tenantId?: Uuid;
  readonly storeId?: Uuid;
  readonly batchSize: number;
  readonly limit: number;
  readonly dryRun?: true;
}

/** `sequencer reencrypt`: brings payloads and their keys under the first master key. */
export function reencryptCommand(): Command {
  return new Command('reencrypt')
    .alias('reencrypt-events')
    .description('encrypt payloads under a new key, or for the first time')
    .option('--database-url <url>', 'the Postgres to work on')
    .option('--tenant-id <uuid>', 'only the stores of this tenant', readUuid)
    .option('--store-id <uuid>', 'only this store', readUuid)
    .option('--batch-size <count>', 'how many rows to change at once', count(10_000), 500)
    .option('--limit <count>', 'how many rows to change at most', count(Number.MAX_SAFE_INTEGER), Infinity)
    .option('--dry-run', 'only count')
    .addHelpText('after', help)
    .action(async (options: ReencryptCliOptions) => {
      process.exitCode = await runReencrypt(options);
    });
}

async function runReencrypt(options: ReencryptCliOptions): Promise<number> {
  const progress = new CountProgress('events');
  const isDryRun = options.dryRun === true;
  try {
    const masterKeys = masterKeysOfEnvironment();
    if (masterKeys.general.length === 0) {
      throw new StartProblem('neither PAYLOAD_ENCRYPTION_KEYS nor PAYLOAD_ENCRYPTION_KEY is set');
    }
    const database = options.databaseUrl === undefined ? await ownDatabase() : null;
    try {
      const pool = await openScanPool(options.databaseUrl ?? database?.url ?? '');
      try {
        const report = await reencryptDatabase({
          pool,
          masterKeys,
          tenantId: options.tenantId ?? null,
          storeId: options.storeId ?? null,
          batchSize: options.batchSize,
          limit: options.limit,
          isDryRun,
          onProgress: (done, total) => progress.show(done, total),
        });
        progress.stop();
        if (!isDryRun) await recordReencryption(pool, options, report);
        console.log(describeReport(report, isDryRun));
        return report.problemCount > 0 || report.keysLocked > 0 ? exitCodes.failed : exitCodes.ok;
      } finally {
        await pool.end();
      }
    } finally {
      await database?.close();
    }
  } catch (error) {
    progress.stop();
    console.error(`It can't be done: ${describeUnusable(error)}`);
    return exitCodes.unusable;
  }
}

async function recordReencryption(
  pool: pg.Pool,
  { tenantId, storeId }: ReencryptCliOptions,
  { scanned, updated, keysRewrapped, problemCount }: ReencryptReport,
): Promise<void> {
  await postgresAuditEntries(pool).append({
    ...commandActor(),
    action: 'payloads_reencrypted',
    tenantId: tenantId ?? null,
    resourceType: storeId === undefined ? 'payloads' : 'store',
    resourceId: storeId ?? null,
    details: { scanned, updated, keysRewrapped, problemCount },
    success: problemCount === 0,
    errorMessage: null,
  });
}

function describeReport(report: ReencryptReport, isDryRun: boolean): string {
  const { scanned, updated, skipped, erased, keysRewrapped, keysLocked, problems, problemCount } = report;
  const unlisted = problemCount - problems.length;
  return [
    `scanned ${scanned}`,
    `${isDryRun ? 'would_update' : 'updated'} ${updated}`,
    `skipped_current_key ${skipped}`,
    ...(erased > 0 ? [`erased ${erased}`] : []),
    `${isDryRun ? 'would_rewrap' : 'rewrapped'}_keys ${keysRewrapped}`,
    ...(keysLocked > 0
      ? [`${keysLocked} keys of tenants are under a master key that is not in PAYLOAD_ENCRYPTION_KEYS.`]
      : []),
    ...problems.map((problem) => `LEFT AS IT IS ${problem}`),
    ...(unlisted > 0 ? [`and ${unlisted} more`] : []),
    ...(report.limitReached ? ['The limit was reached: there may be more.'] : []),
  ].join('\n');
}

function describeUnusable(error: unknown): string {
  if (error instanceof SequencerError || error instanceof StartProblem) return error.message;
  // The system's and Postgres' errors have codes; whatever has none is a fault of ours.
  if (error instanceof Error && 'code' in error) return error.message;
  throw error;
}

function count(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`It must be an integer from 1 to ${max}.`);
  };
}
