import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { SequencerError } from '../../domain/errors.ts';
import type { Uuid } from '../../domain/types.ts';
import { CountProgress } from '../count-progress.ts';
import { checkDatabase, type FsckReport } from '../fsck/check-database.ts';
import { CheckFailed } from '../fsck/run-tasks.ts';
import { ownDatabase } from '../own-database.ts';
import { masterKeysOfEnvironment } from '../payload-encryption.ts';
import { StartProblem } from '../start-problem.ts';
import { exitCodes } from './exit-codes.ts';
import { readUuid } from './uuid-argument.ts';

const help = `
Without --database-url it checks what a node with the same environment would use: DATABASE_URL, or else the embedded
Postgres in DATA_DIR, which must then not be in use. It only reads, and may run beside nodes. Payloads that nodes encrypted are
looked into with the keys of PAYLOAD_ENCRYPTION_KEYS. What is checked is described in docs/verify.md.

Exit code: 0 all is as it should be, 1 something is not, 2 it could not be checked.

Examples:
  npx --no sequencer fsck
  npx --no sequencer fsck --database-url "$DATABASE_URL" --tenant "$TENANT" --json`;

interface FsckCliOptions {
  readonly databaseUrl?: string;
  readonly tenant?: Uuid;
  readonly store?: Uuid;
  readonly jobs: number;
  readonly json?: true;
}

/** `sequencer fsck`: reads a whole database again, and names what does not fit. */
export function fsckCommand(): Command {
  return new Command('fsck')
    .description('check a database: every hash, signature, leaf, root, link, head, gap and repetition')
    .option('--database-url <url>', 'the Postgres to check')
    .option('--tenant <uuid>', 'only the stores of this tenant', readUuid)
    .option('--store <uuid>', 'only this store', readUuid)
    .option(
      '--jobs <count>',
      'how many threads, each with a connection',
      jobs,
      Math.min(8, availableParallelism()),
    )
    .option('--json', 'print the report as JSON')
    .addHelpText('after', help)
    .action(async (options: FsckCliOptions) => {
      process.exitCode = await runFsck(options);
    });
}

async function runFsck(options: FsckCliOptions): Promise<number> {
  const progress = new CountProgress('steps');
  try {
    const database = options.databaseUrl === undefined ? await ownDatabase() : null;
    try {
      const report = await checkDatabase({
        databaseUrl: options.databaseUrl ?? database?.url ?? '',
        tenantId: options.tenant ?? null,
        storeId: options.store ?? null,
        jobs: options.jobs,
        masterKeys: masterKeysOfEnvironment(),
        onProgress: (done, total) => progress.show(done, total),
      });
      progress.stop();
      console.log(options.json === true ? JSON.stringify(report, null, 2) : describeReport(report));
      return report.holds ? exitCodes.ok : exitCodes.failed;
    } finally {
      await database?.close();
    }
  } catch (error) {
    progress.stop();
    const reason = describeUnusable(error);
    if (options.json === true) console.log(JSON.stringify({ unusable: reason }));
    else console.error(`The database can't be checked: ${reason}`);
    return exitCodes.unusable;
  }
}

function describeReport(report: FsckReport): string {
  const { stores, events, commitments, erasedPayloads, unreadablePayloads, findings, findingCount } = report;
  const lines = [
    `Checked ${number(events)} events and ${number(commitments)} commitments of ${number(stores)} stores.`,
    ...(erasedPayloads > 0
      ? [`${number(erasedPayloads)} payloads are of erased tenants; all else of their events was checked.`]
      : []),
    ...(unreadablePayloads > 0
      ? [
          `${number(unreadablePayloads)} payloads were not looked into: their master key is not in PAYLOAD_ENCRYPTION_KEYS.`,
        ]
      : []),
    ...findings.map(({ tenantId, storeId, world, sequence, column, expected, found, detail }) => {
      const place = `${tenantId}/${storeId}${world === null ? '' : ` ${world}`}`;
      const event = sequence === null ? '' : ` ${sequence}`;
      return `WRONG ${place}${event} ${column}: expected ${expected}, found ${found} (${detail})`;
    }),
  ];
  const unlisted = findingCount - findings.length;
  if (unlisted > 0) lines.push(`and ${number(unlisted)} more`);
  lines.push(report.holds ? 'All of it is as it should be.' : `Findings: ${number(findingCount)}.`);
  return lines.join('\n');
}

function describeUnusable(error: unknown): string {
  if (error instanceof SequencerError || error instanceof CheckFailed || error instanceof StartProblem) {
    return error.message;
  }
  // The system's and Postgres' errors have codes; whatever has none is a fault of ours.
  if (error instanceof Error && 'code' in error) return error.message;
  throw error;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function jobs(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 64) {
    throw new InvalidArgumentError('It must be an integer from 1 to 64.');
  }
  return value;
}
