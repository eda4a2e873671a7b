import type { Context, ServiceSchema } from 'moleculer';
import type { EventLog } from '../storage/event-log.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { toBrokerError } from './broker-errors.ts';
import type { AppendParams, AppendReply, CallMeta, HeadParams, HeadReply } from './contracts.ts';
import type { AppendDependencies } from './sequencer/append.ts';
import { appendLegacy } from './sequencer/append-legacy.ts';
import { appendVes } from './sequencer/append-ves.ts';
import { readAppendParams, readHeadParams } from './sequencer/read-params.ts';
import type { TenantShare } from './sequencer/tenant-share.ts';
import { traced } from './traced.ts';

export interface SequencerServiceDependencies extends AppendDependencies {
  readonly log: Pick<EventLog, 'heads'>;
  readonly bodyBytesMax: number;
  readonly tenantShare: TenantShare;
  /** Absent where nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/**
 * The owner's side of an append: reads the bytes once, runs the checks that need no look into the log, and hands the events
 * to the store's actor. `sequencer.append` is routed to the owner by the ring; `sequencer.head` is answered by any node.
 */
export function sequencerService(deps: SequencerServiceDependencies): ServiceSchema {
  return {
    name: 'sequencer',
    actions: {
      append: {
        handler: (ctx: Context<unknown, CallMeta>) =>
          traced(deps.tracing, 'sequencer.append', { kind: 'server', parent: parentOf(ctx) }, (span) =>
            translated(() =>
              append(deps, readAppendParams(ctx.params, deps.bodyBytesMax), span?.traceparent),
            ),
          ),
      },
      head: {
        handler: (ctx: Context) => translated(() => head(deps, readHeadParams(ctx.params))),
      },
    },
    stopped: () => deps.directory.close(),
  };
}

/** Whoever reaches the transporter can call, so nothing of it is taken on trust. */
function parentOf({ meta }: Context<unknown, CallMeta>): string | undefined {
  return typeof meta.traceparent === 'string' ? meta.traceparent : undefined;
}

function append(
  deps: SequencerServiceDependencies,
  params: AppendParams,
  traceparent: string | undefined,
): Promise<AppendReply> {
  const { tenantId, body, world } = params;
  const arrivedMs = deps.clock.monotonicMs();
  return deps.tenantShare.run(tenantId, body.byteLength, () => {
    const timeLeftMs = params.timeLeftMs - (deps.clock.monotonicMs() - arrivedMs);
    const appendWorld = world === 'legacy' ? appendLegacy : appendVes;
    return appendWorld(deps, { ...params, timeLeftMs }, traceparent);
  });
}

async function head(deps: SequencerServiceDependencies, params: HeadParams): Promise<HeadReply> {
  const heads = await deps.log.heads(params);
  return { head: heads[params.world] };
}

async function translated<Reply>(run: () => Promise<Reply>): Promise<Reply> {
  try {
    return await run();
  } catch (error) {
    throw toBrokerError(error);
  }
}
