import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionsOptions {
  readonly connectionsMax: number;
  /** 0 is no bound. */
  readonly requestsPerConnectionMax: number;
}

/** Requests of one connection that are being answered; the next means that a client sends without reading. */
export const pipelinedRequestsMax = 100;

/** What is to become of a request. */
export type Reception =
  | 'answer'
  /** It is the last that its connection may have. */
  | 'answer and close'
  /** Too many before it on its connection are not answered yet. */
  | 'refuse and close'
  /** Its connection was refused, or is closing: whatever is said to it goes nowhere. */
  | 'ignore';

interface State {
  requests: number;
  inFlight: number;
  isEnding: boolean;
}

/**
 * The connections of a server, bounded in number. One more closes the one that has waited longest for a request, also for
 * the rest of its headers: clients that hold connections and say nothing give way to those that come with something.
 */
export class Connections {
  private readonly options: ConnectionsOptions;
  private readonly held = new Map<Socket, State>();
  /** Those without a request that is being answered, the longest waiting first. */
  private readonly waiting = new Set<Socket>();

  constructor(options: ConnectionsOptions) {
    this.options = options;
  }

  get count(): number {
    return this.held.size;
  }

  get sockets(): Iterable<Socket> {
    return this.held.keys();
  }

  /** @returns false when all connections that may be held are busy: the caller refuses this one */
  add(socket: Socket): boolean {
    if (this.held.size >= this.options.connectionsMax) {
      const [longestWaiting] = this.waiting;
      if (longestWaiting === undefined) return false;
      this.forget(longestWaiting);
      longestWaiting.destroy();
    }
    this.held.set(socket, { requests: 0, inFlight: 0, isEnding: false });
    this.waiting.add(socket);
    socket.once('close', () => this.forget(socket));
    return true;
  }

  /** The connection has a request, until the response is out. */
  occupy(socket: Socket, response: ServerResponse): Reception {
    const state = this.held.get(socket);
    if (state === undefined || state.isEnding) return 'ignore';
    this.waiting.delete(socket);
    state.requests += 1;
    state.inFlight += 1;
    response.once('close', () => {
      state.inFlight -= 1;
      if (state.inFlight === 0 && this.held.has(socket)) this.waiting.add(socket);
    });
    const isCrowded = state.inFlight > pipelinedRequestsMax;
    state.isEnding = isCrowded || state.requests === this.options.requestsPerConnectionMax;
    if (isCrowded) return 'refuse and close';
    return state.isEnding ? 'answer and close' : 'answer';
  }

  private forget(socket: Socket): void {
    this.held.delete(socket);
    this.waiting.delete(socket);
  }
}
