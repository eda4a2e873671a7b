import type { Clock } from '../../domain/clock.ts';
import type { TenantId } from '../../domain/types.ts';
import { type AgentKey, agentKeyFault, type AgentKeyRef } from '../../domain/ves/agent-key.ts';
import { schemeFault, signatureDiffers } from '../../domain/ves/check-event.ts';
import type { CheckedVesEvent } from '../../domain/ves/event.ts';
import type { Fault } from '../../domain/sequencing/rejection.ts';
import { PreparedPublicKeys, verifyEd25519 } from '../node-ed25519.ts';
import type { CacheFigures } from '../../telemetry/metrics/caches.ts';
import { FairQueue } from './fair-queue.ts';

export interface SignatureChecksDependencies {
  /** Null when nothing is registered under this number. Rejects when that can't be known now. */
  readonly findAgentKey: (ref: AgentKeyRef) => Promise<AgentKey | null>;
  readonly clock: Clock;
  /** Public keys that are kept ready for use. */
  readonly preparedKeysMax: number;
  /** Told, once a request, how many signatures were checked and how long that took. */
  readonly onChecked?: (count: number, durationMs: number) => void;
}

/** As many as keep the threads of libuv busy; more would only make receipts, signed on the same threads, wait. */
const runningMax = 32;
/** What some seconds suffice for. */
const waitingMax = 50_000;

/** Finds out which events their agents have signed: off the event loop, in turns between the requests. */
export class SignatureChecks {
  private readonly deps: SignatureChecksDependencies;
  private readonly queue: FairQueue;
  private readonly publicKeys: PreparedPublicKeys;

  constructor(deps: SignatureChecksDependencies) {
    this.deps = deps;
    this.queue = new FairQueue({ runningMax, waitingMax }, deps.clock);
    this.publicKeys = new PreparedPublicKeys(deps.preparedKeysMax);
  }

  /**
   * Checks the key and the signature of those events that have no fault so far, in the order of ves-format 9.2.
   * @param deadlineMs on the clock's monotonic scale
   * @returns the events in input order, each with its first fault
   * @throws SignatureChecksFull, DeadlineExceeded, LogUnavailable: nothing is known of the events then
   */
  async check(
    tenantId: TenantId,
    events: readonly CheckedVesEvent[],
    deadlineMs: number,
  ): Promise<CheckedVesEvent[]> {
    const checked = [...events];
    /** Asked for once a request, not once an event. */
    const unknownKeyIds = new Set<number>();
    const unsettled = [...events.keys()].filter((index) => events[index]!.fault === null);
    const { clock, onChecked } = this.deps;
    const startedMs = clock.monotonicMs();
    await this.queue.run(unsettled, deadlineMs, async (index) => {
      const event = events[index]!;
      const fault = await this.faultOf(tenantId, event, unknownKeyIds);
      if (fault !== null) checked[index] = { ...event, fault };
    });
    if (unsettled.length > 0) onChecked?.(unsettled.length, clock.monotonicMs() - startedMs);
    return checked;
  }

  /** Of the public keys that are kept ready. */
  get keyFigures(): CacheFigures {
    return this.publicKeys.figures;
  }

  private async faultOf(
    tenantId: TenantId,
    event: CheckedVesEvent,
    unknownKeyIds: Set<number>,
  ): Promise<Fault | null> {
    const { sourceAgent: agentId, agentKeyId: keyId, agentSignature, signingHash } = event;
    const key = unknownKeyIds.has(keyId) ? null : await this.deps.findAgentKey({ tenantId, agentId, keyId });
    if (key === null) unknownKeyIds.add(keyId);
    const fault = agentKeyFault(key, this.deps.clock.nowMicros()) ?? schemeFault(event);
    if (key === null || fault !== null) return fault;
    const isGood = await verifyEd25519(agentSignature, signingHash, this.publicKeys.prepare(key.publicKey));
    return isGood ? null : signatureDiffers;
  }
}
