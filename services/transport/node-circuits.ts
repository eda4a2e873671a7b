import type { Context, Middleware } from 'moleculer';
import type { Clock } from '../../domain/clock.ts';
import {
  CircuitBreaker,
  type CircuitFigures,
  type CircuitLimits,
} from '../../domain/resilience/circuit-breaker.ts';
import { readError, toBrokerError } from '../broker-errors.ts';

export interface NodeCircuitsDependencies {
  readonly limits: CircuitLimits;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onChange: (figures: CircuitFigures) => void;
}

/** Its declaration asks for a service as `this`, which the broker does not give. */
type Call = (ctx: Context) => Promise<unknown>;

/** Whoever waited for less has proved nothing by getting no answer. */
const patienceMsMin = 1_000;
/** Nodes come and go under new names; who was called longest ago is forgotten. */
const nodesMax = 100;
/** What is asked of nodes that may be silent, to find out whether they are. */
const isAskedAnyway = /^(\$|node\.)/;

/**
 * A circuit to each other node: one that lives, as its heartbeats say, and yet does not answer calls in time, is spared for a
 * while, and so are the requests that would have waited for it. Any answer, be it an error, shows that it is well.
 */
export class NodeCircuits {
  private readonly deps: NodeCircuitsDependencies;
  private readonly circuits = new Map<string, CircuitBreaker>();

  constructor(deps: NodeCircuitsDependencies) {
    this.deps = deps;
  }

  get figures(): CircuitFigures[] {
    return Array.from(this.circuits.values(), ({ figures }) => figures);
  }

  /** A node that has left, or comes anew, has nothing to do with what it was. */
  forget(nodeId: string): void {
    this.circuits.delete(nodeId);
  }

  /** For the broker; must be within what bounds the link, whose refusals say nothing about the node. */
  middleware(): Middleware {
    return {
      name: 'NodeCircuits',
      remoteAction: (handler) => async (ctx: Context) => {
        const next = handler as Call;
        const { nodeID, action } = ctx;
        if (nodeID === null || isAskedAnyway.test(action?.name ?? '')) return next(ctx);
        const settle = this.admit(nodeID);
        try {
          const answer = await next(ctx);
          settle('success');
          return answer;
        } catch (error) {
          const isSilence = readError(error)?.code === 'REQUEST_TIMEOUT';
          const wasPatient = (ctx.options.timeout ?? 0) >= patienceMsMin;
          if (!isSilence) settle('success');
          else settle(wasPatient ? 'failure' : 'none');
          throw error;
        }
      },
      started: ({ localBus }) => {
        const forget = ({ node }: { readonly node: { readonly id: string } }): void => this.forget(node.id);
        localBus.on('$node.disconnected', forget);
        localBus.on('$node.connected', forget);
        return Promise.resolve();
      },
    };
  }

  private admit(nodeId: string): ReturnType<CircuitBreaker['admit']> {
    const circuit = this.circuits.get(nodeId) ?? this.open(nodeId);
    // The map keeps them in the order of their last call.
    this.circuits.delete(nodeId);
    this.circuits.set(nodeId, circuit);
    try {
      return circuit.admit();
    } catch (error) {
      throw toBrokerError(error);
    }
  }

  private open(nodeId: string): CircuitBreaker {
    const [oldest] = this.circuits.keys();
    if (this.circuits.size >= nodesMax && oldest !== undefined) this.circuits.delete(oldest);
    return new CircuitBreaker({ name: `node ${nodeId}`, ...this.deps });
  }
}
