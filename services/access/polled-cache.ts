import type { Clock } from '../../domain/clock.ts';
import { LogUnavailable } from '../../domain/errors.ts';
import { CountedCache } from '../../telemetry/counted-cache.ts';
import type { Log } from '../../telemetry/log.ts';
import type { CacheFigures } from '../../telemetry/metrics/caches.ts';
import { answerWithin } from '../answer-within.ts';

export interface PolledCacheLimits {
  readonly clock: Clock;
  readonly log: Log;
  /** Entries kept at most, and as many again that proved to be unknown. */
  readonly entriesMax: number;
  /** How long an entry is kept without another look, although nothing changed. */
  readonly ttlMs: number;
}

/** The records that are cached, each of them under a key with a text of its own. */
export interface PolledSource<Key, Value extends object> {
  /** What log lines call the records, in the plural. */
  readonly name: string;
  readonly textOf: (key: Key) => string;
  /** Asks the database; null when there is none. */
  readonly find: (key: Key) => Promise<Value | null>;
  /** A number that changes with every change of any record, in the transaction of the change. */
  readonly revision: () => Promise<number>;
  /**
   * How long "there is none" is remembered at most. It hides a new record for up to a second, so 0 for records that may be
   * used as soon as they are made.
   */
  readonly unknownTtlMaxMs: number;
  /** How many may be looked up at once; 64 unless given. */
  readonly lookupsMax?: number;
}

/** Half of what a revocation may take, so that one poll can fail without any request waiting for the database. */
const pollIntervalMs = 500;
/** No answer is given from memory that is older than the last poll that began this long ago. */
const trustMs = 1_000;
const pollTimeoutMs = trustMs;
const lookupTimeoutMs = 5_000;
const lookupsMaxDefault = 64;

interface Lookup<Value> {
  /** In the order in which they began. */
  readonly number: number;
  readonly startedMs: number;
  readonly generation: number;
  readonly result: Promise<Value | null>;
}

/**
 * Records of the database from memory, where that is safe. A change acts here within a second of its commit: the records'
 * revision is polled twice a second, and the cache is
 * - **trusted** while the last successful poll began less than a second ago;
 * - **bypassed** before the first poll and after that second: every look-up asks the database, until a poll succeeds.
 *
 * A changed revision empties the cache and begins a new generation. What a look-up of an older generation returns is
 * not kept, since it may have read the record before the change.
 */
export class PolledCache<Key, Value extends object> {
  private readonly source: PolledSource<Key, Value>;
  private readonly limits: PolledCacheLimits;
  private readonly known: CountedCache<string, Value>;
  /** Null when nothing is kept in it. */
  private readonly unknown: CountedCache<string, true> | null;
  private readonly lookups = new Map<string, Lookup<Value>>();
  private lookupCount = 0;
  private runningLookups = 0;
  private hits = 0;
  private misses = 0;
  private generation = 0;
  private revision: number | null = null;
  private trustedUntilMs = -Infinity;
  private pollFailed = false;

  constructor(source: PolledSource<Key, Value>, limits: PolledCacheLimits) {
    this.source = source;
    this.limits = limits;
    const { clock, entriesMax: max, ttlMs } = limits;
    const { unknownTtlMaxMs } = source;
    const perf = { now: () => clock.monotonicMs() };
    this.known = new CountedCache({ max, ttl: ttlMs, ttlResolution: 0, perf });
    this.unknown =
      unknownTtlMaxMs === 0
        ? null
        : new CountedCache({ max, ttl: Math.min(ttlMs, unknownTtlMaxMs), ttlResolution: 0, perf });
  }

  /**
   * The record with this key; null when there is none.
   * @throws LogUnavailable when the database must be asked and does not answer
   */
  async find(key: Key): Promise<Value | null> {
    const text = this.source.textOf(key);
    if (this.limits.clock.monotonicMs() < this.trustedUntilMs) {
      const value = this.known.get(text);
      if (value !== undefined || this.unknown?.has(text) === true) {
        this.hits += 1;
        return value ?? null;
      }
    }
    this.misses += 1;
    return this.lookUp(key, text);
  }

  /** A bypassed look-up is a miss, and what is known not to exist is an entry. */
  get figures(): CacheFigures {
    const { hits, misses, known, unknown } = this;
    return {
      hits,
      misses,
      size: known.size + (unknown?.size ?? 0),
      evictions: known.figures.evictions + (unknown?.figures.evictions ?? 0),
    };
  }

  /** Polls until stopped, beginning now. */
  startPolling(): { stop(): void } {
    const { clock } = this.limits;
    let stopped = false;
    let next: { cancel(): void } | undefined;
    const run = async (): Promise<void> => {
      const startedMs = clock.monotonicMs();
      await this.poll(startedMs);
      if (stopped) return;
      const waitMs = Math.max(0, startedMs + pollIntervalMs - clock.monotonicMs());
      next = clock.after(waitMs, () => void run());
    };
    void run();
    return {
      stop: () => {
        stopped = true;
        next?.cancel();
      },
    };
  }

  /** For what this process changed itself: that acts here at once. */
  forget(): void {
    this.generation += 1;
    this.known.clear();
    this.unknown?.clear();
  }

  private async poll(startedMs: number): Promise<void> {
    const { name, revision: readRevision } = this.source;
    const { clock, log } = this.limits;
    try {
      const revision = await answerWithin(clock, pollTimeoutMs, readRevision(), name);
      if (revision !== this.revision) this.forget();
      this.revision = revision;
      this.trustedUntilMs = startedMs + trustMs;
      if (this.pollFailed) log.info({}, `${name} are read from the cache again`);
      this.pollFailed = false;
    } catch (error) {
      if (!this.pollFailed) log.warn({ err: error }, `${name} are not polled; each use looks them up`);
      this.pollFailed = true;
    }
  }

  /** Requests for the same record share one look-up, unless it may have begun before a change that they must see. */
  private async lookUp(key: Key, text: string): Promise<Value | null> {
    const first = this.lookupCount;
    for (;;) {
      const shared = this.lookupUnderWay(text) ?? this.startLookup(key, text);
      const value = await shared.result;
      // One that was under way already may have looked before the record was made, which the caller may know of.
      if (value !== null || this.unknown !== null || shared.number >= first) return value;
    }
  }

  private lookupUnderWay(text: string): Lookup<Value> | null {
    const running = this.lookups.get(text);
    if (running?.generation !== this.generation) return null;
    return this.limits.clock.monotonicMs() - running.startedMs < trustMs ? running : null;
  }

  private startLookup(key: Key, text: string): Lookup<Value> {
    const lookupsMax = this.source.lookupsMax ?? lookupsMaxDefault;
    if (this.runningLookups >= lookupsMax) {
      throw new LogUnavailable(`too many ${this.source.name} are being looked up`, { lookupsMax });
    }
    const lookup = {
      number: this.lookupCount++,
      startedMs: this.limits.clock.monotonicMs(),
      generation: this.generation,
      result: this.ask(key, text),
    };
    this.lookups.set(text, lookup);
    const settle = (): void => {
      if (this.lookups.get(text) === lookup) this.lookups.delete(text);
    };
    lookup.result.then(settle, settle);
    return lookup;
  }

  private async ask(key: Key, text: string): Promise<Value | null> {
    const { generation } = this;
    this.runningLookups += 1;
    try {
      const { name, find } = this.source;
      const value = await answerWithin(this.limits.clock, lookupTimeoutMs, find(key), name);
      if (generation === this.generation) {
        if (value === null) this.unknown?.set(text, true);
        else this.known.set(text, value);
      }
      return value;
    } finally {
      this.runningLookups -= 1;
    }
  }
}
