import type { ServiceBroker } from 'moleculer';
import { callOwner } from '../actors/owner-call.ts';
import type { FailureKind } from '../actors/owner-call.ts';
import type { Clock } from '../domain/clock.ts';
import { readError } from './broker-errors.ts';
import type { AppendParams, AppendReply } from './contracts.ts';

export interface SequencerClient {
  /**
   * Has the request's events sequenced by the owner of their store, wherever it runs. A fenced or unreachable owner
   * is tried again within the request's time, with the same request id.
   */
  append(params: AppendParams): Promise<AppendReply>;
}

export interface SequencerClientDependencies {
  readonly broker: ServiceBroker;
  readonly clock: Clock;
  readonly random: () => number;
  /** Upper bound of one call between nodes; shorter than any request's time. */
  readonly callTimeoutMs: number;
}

/** The way to `sequencer.append` for the gateway and for every other service. */
export function sequencerClient({
  broker,
  clock,
  random,
  callTimeoutMs,
}: SequencerClientDependencies): SequencerClient {
  return {
    append: (params) =>
      callOwner<AppendReply>(
        { clock, random, deadlineMs: clock.monotonicMs() + params.timeLeftMs, classify },
        (timeLeftMs) =>
          broker.call<AppendReply, AppendParams>(
            'sequencer.append',
            { ...params, timeLeftMs },
            { timeout: Math.min(timeLeftMs, callTimeoutMs), retries: 0 },
          ),
      ),
  };
}

/**
 * The owner was not there, or went away during the call. In the second case the events may be stored; since the next
 * attempt carries the same request id, whoever owns the store by then recognises it.
 */
const reachFailures: ReadonlyMap<string, FailureKind> = new Map<string, FailureKind>([
  ['SERVICE_NOT_AVAILABLE', 'unreachable'],
  ['SERVICE_NOT_FOUND', 'unreachable'],
  ['REQUEST_REJECTED', 'lost'],
]);

function classify(error: unknown): FailureKind {
  const read = readError(error);
  if (read === null) return 'corrupt';
  return reachFailures.get(read.code) ?? read.kind;
}
