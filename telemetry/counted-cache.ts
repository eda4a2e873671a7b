import { LRUCache } from 'lru-cache';
import type { CacheFigures } from './metrics/caches.ts';

/** An LRU cache that counts what became of its look-ups. `has` and `peek` do not count: they look nothing up for anyone. */
export class CountedCache<
  Key extends NonNullable<unknown>,
  Value extends NonNullable<unknown>,
> extends LRUCache<Key, Value> {
  private hits = 0;
  private misses = 0;
  private evictions: { count: number };

  constructor(options: LRUCache.Options<Key, Value, unknown>) {
    const evictions = { count: 0 };
    super({
      ...options,
      dispose: (value, key, reason) => {
        if (reason === 'evict' || reason === 'expire') evictions.count += 1;
        options.dispose?.(value, key, reason);
      },
    });
    this.evictions = evictions;
  }

  override get(key: Key): Value | undefined {
    return this.getIf(key, () => true);
  }

  /** As `get`, for what may be there and be no answer all the same: then it counts as a miss and stays. */
  getIf(key: Key, isAnswer: (value: Value) => boolean): Value | undefined {
    const value = super.get(key);
    if (value === undefined || !isAnswer(value)) {
      this.misses += 1;
      return undefined;
    }
    this.hits += 1;
    return value;
  }

  get figures(): CacheFigures {
    return { hits: this.hits, misses: this.misses, size: this.size, evictions: this.evictions.count };
  }
}
