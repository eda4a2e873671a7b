/** What writers were told in one second. */
export interface Second {
  /** Events that were acknowledged. */
  events: number;
  /** Requests that were told "not now". */
  pushbacks: number;
  /** Requests without an answer that says what became of them. */
  unknown: number;
  /** Requests that no node took. */
  unreached: number;
}

interface Silence {
  readonly startMs: number;
  readonly endMs: number;
}

/** Shorter ones are the usual pace of a writer. */
const silenceMsMin = 250;

/** Counts answers second by second, and notes when a stream acknowledged nothing for a while. */
export class Tally {
  private readonly startedMs = performance.now();
  private readonly seconds: Second[] = [];
  private readonly lastMs = new Map<string, number>();
  private readonly silences: Silence[] = [];

  /** Milliseconds since the tally was made. */
  nowMs(): number {
    return performance.now() - this.startedMs;
  }

  acknowledged(stream: string, events: number): void {
    this.now().events += events;
    const endMs = this.nowMs();
    const startMs = this.lastMs.get(stream) ?? endMs;
    if (endMs - startMs > silenceMsMin) this.silences.push({ startMs, endMs });
    this.lastMs.set(stream, endMs);
  }

  failed(how: Exclude<keyof Second, 'events'>): void {
    this.now()[how] += 1;
  }

  /** The longest time for which a stream acknowledged nothing, of those that touch this span; 0 when there is none. */
  longestSilenceMs(startMs: number, endMs: number): number {
    const touching = this.silences.filter((silence) => silence.endMs > startMs && silence.startMs < endMs);
    return Math.max(0, ...touching.map((silence) => silence.endMs - silence.startMs));
  }

  /** One entry a second, from the start to now. */
  perSecond(): readonly Second[] {
    this.now();
    return this.seconds;
  }

  private now(): Second {
    const second = Math.floor(this.nowMs() / 1_000);
    while (this.seconds.length <= second) {
      this.seconds.push({ events: 0, pushbacks: 0, unknown: 0, unreached: 0 });
    }
    return this.seconds[second]!;
  }
}
