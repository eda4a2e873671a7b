import { Command } from 'commander';
import { formatTimestamp } from '../../domain/time.ts';
import type { Uuid } from '../../domain/types.ts';
import { postgresAuditEntries } from '../../storage/postgres/audit-log.ts';
import type { StreamProgress } from '../../storage/projections.ts';
import { commandActor } from '../command-actor.ts';
import { CountProgress } from '../count-progress.ts';
import { withProjections } from '../projections/database-projections.ts';
import { rebuildProjections } from '../projections/rebuild-projections.ts';
import { exitCodes } from './exit-codes.ts';
import { readUuid } from './uuid-argument.ts';

const help = `
Projections are what legacy events add up to: docs/projections.md. Without --database-url it works on what a node with the same
environment would use.

Exit code: 0 done, 1 refused, 2 it could not be done.

Examples:
  npx --no sequencer projections status --stalled
  npx --no sequencer projections rebuild --tenant-id "$TENANT" --store-id "$STORE"`;

const streamsShownMax = 200;

interface ProjectionsCliOptions {
  readonly databaseUrl?: string;
  readonly tenantId?: Uuid;
  readonly storeId?: Uuid;
  /** Of `status` alone. */
  readonly stalled?: boolean;
}

/** `sequencer projections`: how far events are projected, and projecting them anew. */
export function projectionsCommand(): Command {
  return new Command('projections')
    .description('look how far events are projected, or project them anew')
    .addHelpText('after', help)
    .addCommand(
      withScope(new Command('status'))
        .description('list streams, those furthest behind first, at most 200')
        .option('--stalled', 'only those that stand still, those that do so for longest first')
        .action(showStatus),
    )
    .addCommand(
      withScope(new Command('rebuild'))
        .description('delete what is projected, with its dead letters, and project all events again')
        .action(rebuild),
    );
}

function withScope(command: Command): Command {
  return command
    .option('--database-url <url>', 'the Postgres to work on')
    .option('--tenant-id <uuid>', 'only the stores of this tenant', readUuid)
    .option('--store-id <uuid>', 'only this store', readUuid);
}

async function showStatus(options: ProjectionsCliOptions): Promise<void> {
  const { databaseUrl, tenantId = null, storeId = null, stalled = false } = options;
  await withProjections(databaseUrl, async ({ projections }) => {
    const streams = stalled
      ? await projections.listStalledStreams(tenantId, storeId, streamsShownMax)
      : await projections.listStreams(tenantId, storeId, streamsShownMax);
    for (const stream of streams) console.log(describeStream(stream));
    if (streams.length === 0)
      console.log(stalled ? 'No stream stands still.' : 'There are no events to project.');
    return exitCodes.ok;
  });
}

function describeStream(stream: StreamProgress): string {
  const { tenantId, storeId, head, lastSequence, applied, refused, skipped, deadLetters } = stream;
  const { rebuildingTo, waitingSince } = stream;
  const rest =
    (rebuildingTo === null ? '' : ` rebuilding_to ${rebuildingTo}`) +
    (waitingSince === null ? '' : ` waiting_since ${formatTimestamp(waitingSince, 'Z')}`);
  return `${tenantId}/${storeId} head ${head} projected ${lastSequence} lag ${head - lastSequence} applied ${applied} refused ${refused} skipped ${skipped} dead_letters ${deadLetters}${rest}`;
}

async function rebuild({ databaseUrl, tenantId, storeId }: ProjectionsCliOptions): Promise<void> {
  const progress = new CountProgress('events');
  await withProjections(databaseUrl, async ({ pool, projections, projector }) => {
    try {
      const report = await rebuildProjections({
        projections,
        projector,
        tenantId: tenantId ?? null,
        storeId: storeId ?? null,
        onProgress: (done, total) => progress.show(done, total),
      });
      progress.stop();
      const { streams, events, applied, refused } = report;
      await postgresAuditEntries(pool).append({
        ...commandActor(),
        action: 'projections_rebuilt',
        tenantId: tenantId ?? null,
        resourceType: storeId === undefined ? 'projections' : 'store',
        resourceId: storeId ?? null,
        details: { streams, events, applied, refused },
        success: true,
        errorMessage: null,
      });
      console.log(`rebuilt ${streams} streams of ${events} events: applied ${applied}, refused ${refused}`);
      return exitCodes.ok;
    } finally {
      progress.stop();
    }
  });
}
