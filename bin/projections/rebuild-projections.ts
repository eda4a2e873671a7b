import { LogUnavailable } from '../../domain/errors.ts';
import type { StoreId, TenantId } from '../../domain/types.ts';
import type { StreamProjector } from '../../services/projections/stream-projector.ts';
import type { ProjectedStream, Projections, StreamProgress } from '../../storage/projections.ts';

export interface RebuildOptions {
  readonly projections: Projections;
  readonly projector: StreamProjector;
  /** Null for all. */
  readonly tenantId: TenantId | null;
  readonly storeId: StoreId | null;
  readonly onProgress: (done: number, total: number) => void;
}

export interface RebuildReport {
  readonly streams: number;
  readonly events: number;
  readonly applied: number;
  readonly refused: number;
}

/** Streams that one command takes on; their tenants name the rest. */
export const rebuildStreamsMax = 100_000;
/** Lost races in a row: nodes project the same stream, which is as good. */
const lostRacesMax = 1_000;

/**
 * Begins the chosen streams anew and projects them up to where they end now. Nodes may do a part of it, and go on with what is
 * appended meanwhile.
 * @throws PayloadUnreadable, LogUnavailable: what is not done yet is then for nodes to do, or for the next call
 */
export async function rebuildProjections(options: RebuildOptions): Promise<RebuildReport> {
  const { projections, tenantId, storeId, onProgress } = options;
  const streams = await projections.listStreams(tenantId, storeId, rebuildStreamsMax);
  const total = streams.reduce((sum, { head }) => sum + head, 0);
  // All of them before the first: a reader is told of every store that it is rebuilt.
  for (const stream of streams) await projections.reset(stream);
  let done = 0;
  for (const stream of streams) {
    await projectUpTo(stream.head, stream, options, (reached) => onProgress(done + reached, total));
    done += stream.head;
  }
  const after = await projections.listStreams(tenantId, storeId, rebuildStreamsMax);
  const sum = (of: (stream: StreamProgress) => number) => after.reduce((all, stream) => all + of(stream), 0);
  return {
    streams: streams.length,
    events: total,
    applied: sum(({ applied }) => applied),
    refused: sum(({ refused }) => refused),
  };
}

async function projectUpTo(
  head: number,
  store: StreamProgress,
  { projections, projector }: RebuildOptions,
  onReached: (sequence: number) => void,
): Promise<void> {
  let stream: ProjectedStream | null = await projections.find(store);
  for (let lost = 0; stream !== null && stream.lastSequence < head;) {
    const advanced: ProjectedStream | null = await projector.projectBatch(stream);
    if (advanced === null && ++lost > lostRacesMax) {
      throw new LogUnavailable('too many project the same stream at once', { ...store });
    }
    stream = advanced ?? (await projections.find(store));
    onReached(Math.min(stream?.lastSequence ?? head, head));
  }
}
