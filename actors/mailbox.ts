import { MailboxFull } from '../domain/errors.ts';

/** What waits in a mailbox: it has a size, and it must be answered exactly once. */
export interface Mail {
  readonly byteCount: number;
  readonly eventCount: number;
}

export interface MailboxLimits {
  /** How many commands may wait. */
  readonly commandsMax: number;
  /** How many bytes of requests may wait. */
  readonly bytesMax: number;
}

/** A bounded first-in first-out queue of commands. */
export class Mailbox<Command extends Mail> {
  private readonly limits: MailboxLimits;
  private waiting: Command[] = [];
  private bytes = 0;

  constructor(limits: MailboxLimits) {
    this.limits = limits;
  }

  get depth(): number {
    return this.waiting.length;
  }

  get byteCount(): number {
    return this.bytes;
  }

  /** @throws MailboxFull when the command does not fit; an empty mailbox takes a command of any size */
  put(command: Command): void {
    const { commandsMax, bytesMax } = this.limits;
    if (this.waiting.length >= commandsMax) {
      throw new MailboxFull(`the stream already has ${commandsMax} requests waiting`, { commandsMax });
    }
    if (this.waiting.length > 0 && this.bytes + command.byteCount > bytesMax) {
      throw new MailboxFull(`the stream already has ${this.bytes} bytes of requests waiting`, { bytesMax });
    }
    this.waiting.push(command);
    this.bytes += command.byteCount;
  }

  /** Removes and returns the oldest commands that together keep within the bounds; at least one if any waits. */
  take(bounds: { readonly eventsMax: number; readonly bytesMax: number }): Command[] {
    let count = 0;
    let events = 0;
    let bytes = 0;
    for (const command of this.waiting) {
      events += command.eventCount;
      bytes += command.byteCount;
      if (count > 0 && (events > bounds.eventsMax || bytes > bounds.bytesMax)) break;
      count++;
    }
    const taken = this.waiting.splice(0, count);
    for (const command of taken) this.bytes -= command.byteCount;
    return taken;
  }

  /** Removes and returns everything. */
  takeAll(): Command[] {
    const taken = this.waiting;
    this.waiting = [];
    this.bytes = 0;
    return taken;
  }
}
