import { Errors } from 'moleculer';
import { ownerOf } from '../../domain/ring.ts';
import type { AppendParams, AppendReply } from '../../services/contracts.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** How the network behaves at the moment; each is a probability of a message. */
export interface NetworkWeather {
  drop: number;
  duplicate: number;
  /** Takes up to seconds, so that later messages overtake it. */
  delay: number;
}

const action = 'sequencer.append';
const longDelayMs = 8_000;

/** A node as the network sees it. */
export interface NetworkMember {
  readonly name: string;
  /** The members that this node believes in. */
  readonly members: readonly string[];
  /** Changes with every restart. */
  readonly process: SimulatedProcess;
  readonly pending: Set<PendingCall>;
  /** Handles a call that arrived. */
  serve(params: AppendParams): Promise<AppendReply>;
}

/** A call between nodes that has no answer yet. */
export interface PendingCall {
  readonly owner: string;
  fail(error: Error): void;
}

/**
 * What broker and NATS do for nodes, with their faults. Calls go to the owner that the caller's own view of the members
 * names, time out, and are rejected when the owner disappears from that view: as with the real broker.
 */
export class SimulatedNetwork {
  readonly weather: NetworkWeather = { drop: 0, duplicate: 0, delay: 0 };
  /** Pairs `from>to` between which nothing gets through. */
  readonly cuts = new Set<string>();
  readonly scheduler: Scheduler;
  /** Requests of which a second copy came: for these a refusal is no promise, since the copy may be served later. */
  readonly duplicated = new Set<string>();

  private readonly nodes = new Map<string, NetworkMember>();

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
  }

  join(node: NetworkMember): void {
    this.nodes.set(node.name, node);
  }

  /**
   * Rejects with the broker's own errors, or with what the owner answered.
   * @param to whom to call, or null to have the ring name the owner
   */
  call(
    caller: NetworkMember,
    params: AppendParams,
    to: { readonly timeoutMs: number; readonly owner: string | null },
  ): Promise<AppendReply> {
    const owner = to.owner ?? ownerOf(caller.members, params);
    const { process } = caller;
    if (owner === null) {
      return Promise.reject(new Errors.ServiceNotAvailableError({ action, nodeID: caller.name }));
    }
    const request = `request ${params.requestId.slice(-6)}`;
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        caller.pending.delete(pending);
        timeout.cancel();
        settle();
      };
      const pending: PendingCall = { owner, fail: (error) => end(() => reject(error)) };
      const timeout = process.after(to.timeoutMs, `${request} times out`, () =>
        pending.fail(new Errors.RequestTimeoutError({ action, nodeID: owner })),
      );
      caller.pending.add(pending);
      const answer = (settle: () => void): void =>
        this.send({ from: owner, to: caller.name, label: `answer to ${request}`, process }, () =>
          end(settle),
        );
      this.send({ from: caller.name, to: owner, label: request, requestId: params.requestId }, () => {
        const node = this.nodes.get(owner)!;
        node.serve(params).then(
          (reply) => answer(() => resolve(reply)),
          (error: Error) => answer(() => reject(error)),
        );
      });
    });
  }

  private send(
    message: {
      readonly from: string;
      readonly to: string;
      readonly label: string;
      readonly requestId?: string;
      /** Where an answer is awaited; a request goes to whatever process the node has when it arrives. */
      readonly process?: SimulatedProcess;
    },
    deliver: () => void,
  ): void {
    const { scheduler, weather } = this;
    const { random } = scheduler;
    const { from, to, label, requestId } = message;
    const isLocal = from === to;
    const copies = requestId !== undefined && !isLocal && random.chance(weather.duplicate) ? 2 : 1;
    if (copies === 2) {
      this.duplicated.add(requestId!);
      scheduler.count('message duplicated');
    }
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = isLocal ? 0.01 : this.delayMs();
      const isLost = !isLocal && (random.chance(weather.drop) || this.cuts.has(`${from}>${to}`));
      if (isLost) {
        scheduler.count('message lost');
        scheduler.note(`${label} from ${from} to ${to} is lost`);
      } else {
        scheduler.after(delayMs, `${label} from ${from} reaches ${to}`, () =>
          (message.process ?? this.nodes.get(to)!.process).enter(deliver),
        );
      }
    }
  }

  private delayMs(): number {
    const { random } = this.scheduler;
    return random.chance(this.weather.delay) ? random.between(0, longDelayMs) : 0.1 + random.about(0.5);
  }
}
