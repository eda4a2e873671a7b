import { Command, InvalidArgumentError, Option } from 'commander';
import {
  type DeadLetterReason,
  deadLetterReasons,
  type DeadLetterStatus,
  deadLetterStatuses,
} from '../../domain/projections/dead-letter.ts';
import { formatTimestamp } from '../../domain/time.ts';
import type { Uuid } from '../../domain/types.ts';
import { postgresAuditEntries } from '../../storage/postgres/audit-log.ts';
import type { DeadLetter } from '../../storage/projections.ts';
import { commandActor } from '../command-actor.ts';
import { type DatabaseProjections, withProjections } from '../projections/database-projections.ts';
import { exitCodes } from './exit-codes.ts';
import { readUuid } from './uuid-argument.ts';

const help = `
Dead letters are events that projections refused: docs/projections.md. Without --database-url it works on what a node with the
same environment would use; an administrator can do the same over HTTP.

Exit code: 0 done, 1 refused, 2 it could not be done.

Examples:
  npx --no sequencer dead-letters list --status failed
  npx --no sequencer dead-letters retry "$ID"
  npx --no sequencer dead-letters discard "$ID"`;

interface ListOptions {
  readonly databaseUrl?: string;
  readonly tenantId?: Uuid;
  readonly storeId?: Uuid;
  readonly status?: DeadLetterStatus;
  readonly reason?: DeadLetterReason;
  readonly limit: number;
}

/** `sequencer dead-letters`: what projections refused, and what is to become of it. */
export function deadLettersCommand(): Command {
  return new Command('dead-letters')
    .description('list, retry or discard events that projections refused')
    .addHelpText('after', help)
    .addCommand(
      onDatabase(new Command('list'))
        .description('list dead letters, newest first')
        .option('--tenant-id <uuid>', 'only of this tenant', readUuid)
        .option('--store-id <uuid>', 'only of this store', readUuid)
        .addOption(new Option('--status <status>', 'only these').choices(deadLetterStatuses))
        .addOption(new Option('--reason <reason>', 'only those refused for this').choices(deadLetterReasons))
        .option('--limit <count>', 'how many at most', readLimit, 100)
        .action(list),
    )
    .addCommand(
      onDatabase(new Command('retry'))
        .description('try one now, also one that has failed for good')
        .argument('<id>', 'as list tells it', readUuid)
        .action((id: Uuid, options: Pick<ListOptions, 'databaseUrl'>) =>
          withProjections(options.databaseUrl, (on) => retry(id, on)),
        ),
    )
    .addCommand(
      onDatabase(new Command('discard'))
        .description('delete one; its event stays in the stream')
        .argument('<id>', 'as list tells it', readUuid)
        .action((id: Uuid, options: Pick<ListOptions, 'databaseUrl'>) =>
          withProjections(options.databaseUrl, (on) => discard(id, on)),
        ),
    );
}

function onDatabase(command: Command): Command {
  return command.option('--database-url <url>', 'the Postgres to work on');
}

async function list({ databaseUrl, tenantId, storeId, status, reason, limit }: ListOptions): Promise<void> {
  await withProjections(databaseUrl, async ({ desk }) => {
    const filter = {
      tenantId: tenantId ?? null,
      storeId: storeId ?? null,
      status: status ?? null,
      reason: reason ?? null,
    };
    const found = await desk.list(filter, { after: null, limit });
    for (const deadLetter of found) console.log(describeDeadLetter(deadLetter));
    if (found.length === 0) console.log('There are no dead letters.');
    return exitCodes.ok;
  });
}

async function retry(id: Uuid, { desk, pool }: DatabaseProjections): Promise<number> {
  const deadLetter = await desk.retry(id, null);
  await record(pool, 'dead_letter_retried', deadLetter);
  console.log(describeDeadLetter(deadLetter));
  return deadLetter.status === 'resolved' ? exitCodes.ok : exitCodes.failed;
}

async function discard(id: Uuid, { desk, pool }: DatabaseProjections): Promise<number> {
  await record(pool, 'dead_letter_purged', await desk.discard(id, null));
  console.log(`discarded ${id}`);
  return exitCodes.ok;
}

async function record(
  pool: DatabaseProjections['pool'],
  action: 'dead_letter_retried' | 'dead_letter_purged',
  { id, tenantId, storeId, eventId, sequence, status, reason }: DeadLetter,
): Promise<void> {
  await postgresAuditEntries(pool).append({
    ...commandActor(),
    action,
    tenantId,
    resourceType: 'dead_letter',
    resourceId: id,
    details: { storeId, eventId, sequence, status, reason },
    success: true,
    errorMessage: null,
  });
}

function describeDeadLetter(deadLetter: DeadLetter): string {
  const { id, tenantId, storeId, sequence, eventType, entityId, status, reason, retryCount } = deadLetter;
  const next =
    deadLetter.nextRetryAt === null ? '' : `, next at ${formatTimestamp(deadLetter.nextRetryAt, 'Z')}`;
  // Callers choose the name, which may hold what moves a terminal's cursor.
  return `${id} ${status} ${reason} ${tenantId}/${storeId} #${sequence} ${JSON.stringify(eventType)} ${JSON.stringify(entityId)}: ${deadLetter.errorMessage} (tried again ${retryCount} times${next})`;
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= 10_000) return limit;
  throw new InvalidArgumentError('It must be an integer from 1 to 10000.');
}
