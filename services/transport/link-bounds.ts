import type { Context, Middleware } from 'moleculer';
import { NodeLinkFull } from '../../domain/errors.ts';
import { toBrokerError } from '../broker-errors.ts';

export interface LinkLimits {
  /** Calls to one other node that may wait for their answers. */
  readonly callsMax: number;
  /** Bytes of the bodies of these calls. */
  readonly bytesMax: number;
}

/** Its declaration asks for a service as `this`, which the broker does not give. */
type Call = (ctx: Context) => Promise<unknown>;

interface Load {
  calls: number;
  bytes: number;
}

/** Bounds what is under way from this node to each of the others; what is beyond it is pushed back to the client. */
export class LinkBounds {
  private readonly limits: LinkLimits;
  private readonly loads = new Map<string, Load>();

  constructor(limits: LinkLimits) {
    this.limits = limits;
  }

  /** What waits for answers of this node. */
  loadOf(nodeId: string): Readonly<Load> {
    return this.loads.get(nodeId) ?? { calls: 0, bytes: 0 };
  }

  /** For the broker; must be the outermost, so that a call that ran out of time counts no longer. */
  middleware(): Middleware {
    return {
      name: 'LinkBounds',
      remoteAction: (handler) => (ctx: Context) => {
        const next = handler as Call;
        const { nodeID } = ctx;
        if (nodeID === null) return next(ctx);
        const bytes = bodyBytesOf(ctx.params);
        try {
          this.enter(nodeID, bytes);
        } catch (error) {
          return Promise.reject(toBrokerError(error));
        }
        return next(ctx).finally(() => this.leave(nodeID, bytes));
      },
    };
  }

  private enter(nodeId: string, bytes: number): void {
    const { callsMax, bytesMax } = this.limits;
    const load = this.loads.get(nodeId) ?? { calls: 0, bytes: 0 };
    if (load.calls >= callsMax || load.bytes + bytes > bytesMax) {
      throw new NodeLinkFull(
        `${load.calls} calls with ${load.bytes} bytes are under way to ${nodeId}; at most ${callsMax} with ${bytesMax} bytes may be, so nothing was stored`,
        { nodeId, ...load, ...this.limits },
      );
    }
    load.calls++;
    load.bytes += bytes;
    this.loads.set(nodeId, load);
  }

  private leave(nodeId: string, bytes: number): void {
    const load = this.loads.get(nodeId);
    if (load === undefined) return;
    load.calls--;
    load.bytes -= bytes;
    if (load.calls === 0) this.loads.delete(nodeId);
  }
}

function bodyBytesOf(params: unknown): number {
  const { body } = (params ?? {}) as { readonly body?: unknown };
  return body instanceof Uint8Array ? body.byteLength : 0;
}
