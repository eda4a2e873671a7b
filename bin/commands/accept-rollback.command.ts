import { Command, Option } from 'commander';
import { SequencerError } from '../../domain/errors.ts';
import type { Uuid } from '../../domain/types.ts';
import { LossAcceptance } from '../../storage/postgres/loss-acceptance.ts';
import type { Loss, LossFilter } from '../../storage/lost-heads.ts';
import { commandActor } from '../command-actor.ts';
import { ownDatabase } from '../own-database.ts';
import { openScanPool } from '../scan-database.ts';
import { StartProblem } from '../start-problem.ts';
import { exitCodes } from './exit-codes.ts';
import { readUuid } from './uuid-argument.ts';

const help = `
After a restore from an older state the log lacks events that were acknowledged. Nodes that remember them close these stores to
appends. Without --confirm the command lists what is lost, and prints a token that stands for exactly that; with --confirm it
accepts that loss, and nodes go on within some seconds. Clients that kept their events may send them again, and get new
sequences. Before that, see whether a newer backup has the events: docs/backup-restore.md.

Without --database-url it works on what a node with the same environment would use.

Exit code: 0 done or nothing to do, 1 losses are open or the token is another, 2 it could not be done.

Examples:
  npx --no sequencer accept-rollback --all
  npx --no sequencer accept-rollback --all --confirm "$TOKEN"
  npx --no sequencer accept-rollback --store "$STORE" --confirm "$TOKEN"`;

interface AcceptOptions {
  readonly all?: true;
  readonly tenant?: Uuid;
  readonly store?: Uuid;
  readonly databaseUrl?: string;
  readonly confirm?: string;
}

/** `sequencer accept-rollback`: shows what a restored log lacks, and lets appends go on without it. */
export function acceptRollbackCommand(): Command {
  return new Command('accept-rollback')
    .description('show which acknowledged events the log lost in a restore, and go on without them')
    .addOption(new Option('--all', 'of all stores').conflicts(['tenant', 'store']))
    .option('--tenant <uuid>', 'of the stores of this tenant', readUuid)
    .option('--store <uuid>', 'of this store', readUuid)
    .option('--database-url <url>', 'the Postgres to work on')
    .option('--confirm <token>', 'what the command printed without it')
    .addHelpText('after', help)
    .action(async (options: AcceptOptions) => {
      process.exitCode = await runAccept(options);
    });
}

async function runAccept(options: AcceptOptions): Promise<number> {
  const { all, tenant = null, store = null, confirm } = options;
  if (all === undefined && tenant === null && store === null) {
    console.error('Say which stores are meant: --all, --tenant or --store.');
    return exitCodes.unusable;
  }
  const filter = { tenantId: tenant, storeId: store };
  try {
    const database = options.databaseUrl === undefined ? await ownDatabase() : null;
    try {
      const pool = await openScanPool(options.databaseUrl ?? database?.url ?? '');
      try {
        const acceptance = new LossAcceptance(pool, commandActor());
        return confirm === undefined
          ? await show(filter, acceptance, words(options))
          : await accept(filter, confirm, acceptance);
      } finally {
        await pool.end();
      }
    } finally {
      await database?.close();
    }
  } catch (error) {
    console.error(describe(error));
    return error instanceof SequencerError && error.kind === 'rejected'
      ? exitCodes.failed
      : exitCodes.unusable;
  }
}

async function show(filter: LossFilter, acceptance: LossAcceptance, again: string): Promise<number> {
  const { stores, token } = await acceptance.open(filter);
  if (stores === 0) {
    console.log('No loss is open: the nodes append to these stores.');
    return exitCodes.ok;
  }
  for await (const page of acceptance.pages(filter)) {
    for (const loss of page) console.log(sentenceOf(loss));
  }
  console.log(
    [
      '',
      `${stores} ${stores === 1 ? 'store is' : 'stores are'} closed to appends. To go on without these events, for good:`,
      `  npx --no sequencer accept-rollback ${again} --confirm ${token}`,
    ].join('\n'),
  );
  return exitCodes.failed;
}

async function accept(filter: LossFilter, token: string, acceptance: LossAcceptance): Promise<number> {
  const stores = await acceptance.accept(filter, token);
  console.log(
    `The loss is accepted: ${stores} ${stores === 1 ? 'store takes' : 'stores take'} appends again.`,
  );
  return exitCodes.ok;
}

function sentenceOf({ tenantId, storeId, world, durableHead, from, to, isForked, nodeIds }: Loss): string {
  const lost = from === to ? `sequence ${to} is` : `sequences ${from} to ${to} are`;
  const forked = isForked
    ? `; the log went on after the restore, so other events stand in the place of lost ones, perhaps from before ${from} on`
    : '';
  return `tenant ${tenantId} store ${storeId} ${world}: ${lost} lost, as ${nodeIds.join(', ')} acknowledged them; the log ends with ${durableHead}${forked}`;
}

/** The options that chose the stores, to be given again. */
function words({ tenant, store, databaseUrl }: AcceptOptions): string {
  const chosen = [
    ...(tenant === undefined ? [] : ['--tenant', tenant]),
    ...(store === undefined ? [] : ['--store', store]),
  ];
  return [
    ...(chosen.length === 0 ? ['--all'] : chosen),
    ...(databaseUrl === undefined ? [] : ['--database-url', '"$DATABASE_URL"']),
  ].join(' ');
}

function describe(error: unknown): string {
  if (error instanceof SequencerError || error instanceof StartProblem) return error.message;
  // The system's and Postgres' errors have codes; whatever has none is a fault of ours.
  if (error instanceof Error && 'code' in error) return error.message;
  throw error;
}
