import { SequencerError } from '../../domain/errors.ts';
import type { NatsLink } from './nats-link.ts';

/** Another living node has our name. */
export class NodeNameTaken extends SequencerError {
  readonly kind = 'rejected';
  readonly code = 'NODE_NAME_TAKEN';
}

/** Which of several processes of one name this is. */
export interface NodeInstance {
  readonly instanceId: string;
  /** When it started, in milliseconds since 1970: of two that met too late, the newer one gives way. */
  readonly startedAtMs: number;
  /** Where it runs, for people. */
  readonly place: string;
}

export interface NodeNameOptions {
  readonly link: NatsLink;
  readonly namespace: string;
  readonly nodeId: string;
  readonly self: NodeInstance;
  /** We run, and an older node of our name lives: this one must end. */
  readonly onTaken: (error: NodeNameTaken) => void;
}

const answerTimeoutMs = 1_000;

/**
 * Sees to it that one living node has a name. Before it joins, a node asks whether anyone answers to its name; NATS
 * itself says at once when nobody does. Two that ask in the same moment, or that could not see each other, find out
 * when they announce themselves, after joining and after every reconnection.
 */
export class NodeName {
  private readonly options: NodeNameOptions;
  private readonly subject: string;
  private readonly announcement: Uint8Array;

  constructor(options: NodeNameOptions) {
    this.options = options;
    this.subject = `${options.namespace}.NAME.${options.nodeId}`;
    this.announcement = Buffer.from(JSON.stringify(options.self));
  }

  /**
   * Takes the name, from now on and after every reconnection; without a connection, as soon as there is one.
   * @throws NodeNameTaken when a living node has it
   */
  async take(): Promise<void> {
    const { link } = this.options;
    if (link.isConnected) {
      const answer = await link.ask(this.subject, this.announcement, answerTimeoutMs);
      const holder = answer === null ? null : readInstance(answer);
      if (holder !== null) throw this.taken(holder);
    }
    link.subscribe(this.subject, ({ data, reply }) => {
      const other = readInstance(data);
      if (other !== null && other.instanceId !== this.options.self.instanceId) this.meet(other, reply);
    });
    link.listen({ connected: () => this.announce(), cutOff: () => undefined });
    this.announce();
  }

  private meet(other: NodeInstance, reply: string | undefined): void {
    const { link, self, onTaken } = this.options;
    if (reply !== undefined && reply !== '') link.publish(reply, this.announcement);
    else if (isOlder(other, self)) onTaken(this.taken(other));
    else this.announce(); // Then the other one gives way.
  }

  private announce(): void {
    this.options.link.publish(this.subject, this.announcement);
  }

  private taken({ place, startedAtMs }: NodeInstance): NodeNameTaken {
    const since = new Date(startedAtMs).toISOString();
    return new NodeNameTaken(
      `another node named ${this.options.nodeId} lives (${place}, since ${since}); stop it, or give this node a NODE_ID of its own`,
    );
  }
}

function isOlder(one: NodeInstance, other: NodeInstance): boolean {
  if (one.startedAtMs !== other.startedAtMs) return one.startedAtMs < other.startedAtMs;
  return one.instanceId < other.instanceId;
}

/** Null for what no node of ours sends. */
function readInstance(data: Uint8Array): NodeInstance | null {
  try {
    const { instanceId, startedAtMs, place } = JSON.parse(
      Buffer.from(data).toString(),
    ) as Partial<NodeInstance>;
    if (typeof instanceId !== 'string' || typeof startedAtMs !== 'number' || typeof place !== 'string')
      return null;
    return Math.abs(startedAtMs) <= lastDateMs ? { instanceId, startedAtMs, place } : null;
  } catch {
    return null;
  }
}

/** Of a JavaScript date. */
const lastDateMs = 8.64e15;
