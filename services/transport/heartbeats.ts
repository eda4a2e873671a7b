import { Discoverers } from 'moleculer';
import type { Clock } from '../../domain/clock.ts';
import type { NodeMetadata } from '../shard-strategy.ts';
import type { NatsLink } from './nats-link.ts';

export interface HeartbeatsOptions {
  readonly link: NatsLink;
  readonly clock: Clock;
  /** A node not heard of for this long is taken for gone; several times the 500 ms between two heartbeats. */
  readonly silenceMs: number;
  /** Our own heartbeats stopped or began to come back. */
  readonly onDeaf: (isDeaf: boolean) => void;
}

type Payload = Record<string, unknown>;

/** The same for every node, whatever silence it puts up with. */
const beatEveryMs = 500;
/** After a connection was made the others may still be making theirs, so nobody is gone for not listening yet. */
const settleMs = 3_000;
const forgetEveryMs = 60_000;

/**
 * Who is there, by heartbeats. Moleculer's own way counts whole seconds, finds a silent node after up to twice the time
 * that is set, and lets a node judge others that has itself been paused or cut off.
 *
 * A node judges others only while its own heartbeats come back to it: when they don't, it is NATS or the node itself
 * that is silent. Until they do it is `deaf`, and nobody is gone.
 */
export class Heartbeats extends Discoverers.Local {
  private readonly options: HeartbeatsOptions;
  private readonly heardAtMs = new Map<string, number>();
  private ownHeardAtMs: number;
  private deaf = false;
  private inDoubt = false;
  private timer: { cancel(): void } | null = null;
  private forgottenAtMs = 0;

  constructor(options: HeartbeatsOptions) {
    super();
    this.options = options;
    this.ownHeardAtMs = options.clock.monotonicMs();
  }

  /** Whether what we send is known to arrive. */
  get isDeaf(): boolean {
    return this.deaf;
  }

  ownHeard(): void {
    this.ownHeardAtMs = this.options.clock.monotonicMs();
    this.inDoubt = false;
    if (this.deaf) this.setDeaf(false);
  }

  /** NATS says that nobody listens under this name: its process or its connection has ended. */
  nobodyThere(nodeId: string): void {
    const { link } = this.options;
    if (link.isConnected && link.inModeForMs >= settleMs && !this.deaf) {
      this.remoteNodeDisconnected(nodeId, true);
    }
  }

  override startHeartbeatTimers(): void {
    this.stopHeartbeatTimers();
    this.ownHeardAtMs = this.options.clock.monotonicMs();
    this.tick();
  }

  override stopHeartbeatTimers(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  override heartbeatReceived(nodeId: string, payload: Payload): void {
    this.heardAtMs.set(nodeId, this.options.clock.monotonicMs());
    super.heartbeatReceived(nodeId, payload);
  }

  override processRemoteNodeInfo(
    nodeId: string,
    payload: Payload,
  ): ReturnType<Discoverers.Local['processRemoteNodeInfo']> {
    this.heardAtMs.set(nodeId, this.options.clock.monotonicMs());
    const known = this.registry.nodes.get(nodeId);
    const isAnew =
      known?.available === true &&
      (known.instanceID !== payload.instanceID || joinsOf(known.metadata) !== joinsOf(payload.metadata));
    const node = super.processRemoteNodeInfo(nodeId, payload);
    // A process that ended answers nothing, although another has its name by now; nor does one what it never heard.
    if (isAnew) this.transit?.removePendingRequestByNodeID(nodeId);
    return node;
  }

  override checkRemoteNodes(): void {
    const { clock, silenceMs } = this.options;
    const now = clock.monotonicMs();
    if (now - this.ownHeardAtMs > silenceMs) {
      // Not at the first look: after a pause our own timer runs before what has arrived meanwhile is read.
      if (this.inDoubt && !this.deaf) this.setDeaf(true);
      this.inDoubt = true;
      return;
    }
    for (const { id, available, local } of this.registry.nodes.toArray()) {
      if (local || !available) continue;
      if (!this.heardAtMs.has(id)) this.heardAtMs.set(id, now);
      // Up to our own last heartbeat that came back, and no longer: since then it may be NATS that is silent.
      const silentMs = this.ownHeardAtMs - (this.heardAtMs.get(id) ?? now);
      if (silentMs > silenceMs) {
        this.logger.warn(`node ${id} has been silent for ${Math.round(silentMs)} ms: it is taken for gone`);
        this.remoteNodeDisconnected(id, true);
      }
    }
  }

  private setDeaf(deaf: boolean): void {
    this.deaf = deaf;
    // What the others sent in the meantime may have been lost as well, so each gets its time anew.
    if (!deaf) this.heardAtMs.clear();
    this.options.onDeaf(deaf);
  }

  private tick(): void {
    const { clock } = this.options;
    this.checkRemoteNodes();
    if (clock.monotonicMs() - this.forgottenAtMs > forgetEveryMs) {
      this.forgottenAtMs = clock.monotonicMs();
      this.checkOfflineNodes();
    }
    void this.sendHeartbeat();
    this.timer = clock.after(beatEveryMs, () => this.tick());
  }
}

function joinsOf(metadata: unknown): number {
  return (metadata as NodeMetadata | null)?.joins ?? 0;
}
