import type { ServiceBroker } from 'moleculer';
import { callOwner } from '../actors/owner-call.ts';
import type { FailureKind } from '../actors/owner-call.ts';
import type { Clock } from '../domain/clock.ts';
import type { RetryBudget, RetryObserver } from '../domain/resilience/retries.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { readError } from './broker-errors.ts';
import type { AppendParams, AppendReply, CallMeta } from './contracts.ts';
import { traced } from './traced.ts';

export interface SequencerClient {
  /**
   * Has the request's events sequenced by the owner of their store, wherever it runs. A fenced or unreachable owner
   * is tried again within the request's time, with the same request id.
   *
   * @param meta travels with the call, for logs and traces
   */
  append(params: AppendParams, meta?: CallMeta): Promise<AppendReply>;
}

export interface SequencerClientDependencies {
  readonly broker: ServiceBroker;
  readonly clock: Clock;
  readonly random: () => number;
  /** Upper bound of one call between nodes; shorter than any request's time. */
  readonly callTimeoutMs: number;
  /** How long this node has not seen the others; 0 while it does, and for a node that is alone. */
  readonly cutOffForMs?: () => number;
  /** For the tries of all requests together. */
  readonly retryBudget?: RetryBudget;
  readonly retryObserver?: RetryObserver;
  /** Absent where nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/** A connection that is made again usually is by then; after that, clients find another node sooner than we do. */
const cutOffPatienceMs = 5_000;

/** The way to `sequencer.append` for the gateway and for every other service. */
export function sequencerClient({
  broker,
  clock,
  random,
  callTimeoutMs,
  cutOffForMs = () => 0,
  retryBudget,
  retryObserver,
  tracing,
}: SequencerClientDependencies): SequencerClient {
  const classify = (error: unknown): FailureKind => {
    const kind = classifyFailure(error);
    return kind === 'unreachable' && cutOffForMs() > cutOffPatienceMs ? 'pushback' : kind;
  };
  return {
    append: (params, meta = {}) =>
      callOwner<AppendReply>(
        {
          clock,
          random,
          deadlineMs: clock.monotonicMs() + params.timeLeftMs,
          classify,
          claimantOf,
          ...(retryBudget && { budget: retryBudget }),
          ...(retryObserver && { observer: retryObserver }),
        },
        (timeLeftMs, claimant) => {
          const isThere = claimant !== null && canCall(broker, claimant);
          return traced(
            tracing,
            'call sequencer.append',
            { kind: 'client', parent: meta.traceparent },
            (span) =>
              broker.call<AppendReply, AppendParams>(
                'sequencer.append',
                { ...params, timeLeftMs },
                {
                  timeout: Math.min(timeLeftMs, callTimeoutMs),
                  retries: 0,
                  meta: { ...meta, ...(span !== null && { traceparent: span.traceparent }) },
                  ...(isThere && { nodeID: claimant }),
                },
              ),
          );
        },
      ),
  };
}

/** Nothing was sent to the owner, since it is not there, or it sees too little of the others to take the store. */
const unreachableCodes = new Set(['SERVICE_NOT_AVAILABLE', 'SERVICE_NOT_FOUND', 'CLUSTER_UNREACHABLE']);

function classifyFailure(error: unknown): FailureKind {
  const read = readError(error);
  if (read === null) return 'corrupt';
  if (unreachableCodes.has(read.code)) return 'unreachable';
  // It went away during the call, so the events may be stored; whoever owns the store by then knows the request id.
  if (read.code === 'REQUEST_REJECTED') return 'lost';
  // It leaves, and has not taken these events; whoever comes after it will.
  return read.code === 'SHUTTING_DOWN' ? 'fenced' : read.kind;
}

function claimantOf(error: unknown): string | null {
  const claimant = readError(error)?.data.claimant;
  return typeof claimant === 'string' ? claimant : null;
}

function canCall({ registry }: ServiceBroker, nodeId: string): boolean {
  return registry.getActionEndpointByNodeId('sequencer.append', nodeId)?.isAvailable === true;
}
