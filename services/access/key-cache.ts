import { LRUCache } from 'lru-cache';
import type { Principal } from '../../domain/access.ts';
import type { Clock } from '../../domain/clock.ts';
import { LogUnavailable } from '../../domain/errors.ts';
import type { ApiKeyHash } from '../../domain/types.ts';
import type { ApiKeys } from '../../storage/api-keys.ts';
import type { Log } from '../../telemetry/log.ts';

export interface KeyCacheDependencies {
  readonly keys: Pick<ApiKeys, 'findByHash' | 'revision'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Keys kept at most, and as many again that proved to be unknown. */
  readonly entriesMax: number;
  /** How long a key is kept without another look, although nothing changed. */
  readonly ttlMs: number;
}

/** Half of what a revocation may take, so that one poll can fail without any request waiting for the database. */
const pollIntervalMs = 500;
/** No answer is given from memory that is older than the last poll that began this long ago. */
const trustMs = 1_000;
const pollTimeoutMs = trustMs;
const lookupTimeoutMs = 5_000;
const lookupsMax = 64;
/** Short, since an unknown key is most often one that is about to be made. */
const unknownTtlMaxMs = 5_000;

interface Lookup {
  readonly startedMs: number;
  readonly generation: number;
  readonly result: Promise<Principal | null>;
}

/**
 * Who a key speaks for, from memory where that is safe. A revocation acts here within a second of its commit: the keys'
 * revision is polled twice a second, and the cache is
 * - **trusted** while the last successful poll began less than a second ago;
 * - **bypassed** before the first poll and after that second: every request asks the database, until a poll succeeds.
 *
 * A changed revision empties the cache and begins a new generation. What a look-up of an older generation returns is
 * not kept, since it may have read the key before the change.
 */
export class KeyCache {
  private readonly deps: KeyCacheDependencies;
  private readonly known: LRUCache<ApiKeyHash, Principal>;
  private readonly unknown: LRUCache<ApiKeyHash, true>;
  private readonly lookups = new Map<ApiKeyHash, Lookup>();
  private runningLookups = 0;
  private generation = 0;
  private revision: number | null = null;
  private trustedUntilMs = -Infinity;
  private pollFailed = false;

  constructor(deps: KeyCacheDependencies) {
    this.deps = deps;
    const { clock, entriesMax: max, ttlMs } = deps;
    const perf = { now: () => clock.monotonicMs() };
    this.known = new LRUCache({ max, ttl: ttlMs, ttlResolution: 0, perf });
    this.unknown = new LRUCache({ max, ttl: Math.min(ttlMs, unknownTtlMaxMs), ttlResolution: 0, perf });
  }

  /**
   * The principal of an active key; null when there is none with this hash.
   * @throws LogUnavailable when the database must be asked and does not answer
   */
  async find(hash: ApiKeyHash): Promise<Principal | null> {
    if (this.deps.clock.monotonicMs() < this.trustedUntilMs) {
      const principal = this.known.get(hash);
      if (principal !== undefined) return principal;
      if (this.unknown.has(hash)) return null;
    }
    return this.lookUp(hash);
  }

  /** Polls until stopped, beginning now. */
  startPolling(): { stop(): void } {
    const { clock } = this.deps;
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

  private async poll(startedMs: number): Promise<void> {
    const { keys, clock, log } = this.deps;
    try {
      const revision = await answerWithin(clock, pollTimeoutMs, keys.revision());
      if (revision !== this.revision) this.forget();
      this.revision = revision;
      this.trustedUntilMs = startedMs + trustMs;
      if (this.pollFailed) log.info({}, 'API keys are read from the cache again');
      this.pollFailed = false;
    } catch (error) {
      if (!this.pollFailed)
        log.warn({ err: error }, 'API keys are not polled; every request looks its key up');
      this.pollFailed = true;
    }
  }

  private forget(): void {
    this.generation += 1;
    this.known.clear();
    this.unknown.clear();
  }

  /** Requests with the same key share one look-up, unless it may have begun before a change that they must see. */
  private lookUp(hash: ApiKeyHash): Promise<Principal | null> {
    const startedMs = this.deps.clock.monotonicMs();
    const running = this.lookups.get(hash);
    if (running?.generation === this.generation && startedMs - running.startedMs < trustMs) {
      return running.result;
    }
    if (this.runningLookups >= lookupsMax) {
      return Promise.reject(new LogUnavailable('too many API keys are being looked up', { lookupsMax }));
    }
    const lookup = { startedMs, generation: this.generation, result: this.ask(hash, this.generation) };
    this.lookups.set(hash, lookup);
    const settle = (): void => {
      if (this.lookups.get(hash) === lookup) this.lookups.delete(hash);
    };
    lookup.result.then(settle, settle);
    return lookup.result;
  }

  private async ask(hash: ApiKeyHash, generation: number): Promise<Principal | null> {
    const { keys, clock } = this.deps;
    this.runningLookups += 1;
    try {
      const record = await answerWithin(clock, lookupTimeoutMs, keys.findByHash(hash));
      const principal = record?.active === true ? record.principal : null;
      if (generation === this.generation) {
        if (principal === null) this.unknown.set(hash, true);
        else this.known.set(hash, principal);
      }
      return principal;
    } finally {
      this.runningLookups -= 1;
    }
  }
}

/** The answer, or LogUnavailable when it has not come in time: a lost connection can be silent for minutes. */
function answerWithin<Answer>(clock: Clock, timeoutMs: number, answer: Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => {
      reject(new LogUnavailable('the API keys did not answer in time', { timeoutMs }));
    });
    answer.then(resolve, reject).finally(() => timer.cancel());
  });
}
