import type pg from 'pg';
import type { StoredLegacyEvent } from '../../domain/legacy/event.ts';
import type { World } from '../../domain/types.ts';
import type { StoredVesEvent } from '../../domain/ves/event.ts';
import type { EventRow } from '../payloads/payload-vault.ts';
import {
  findStaleLegacy,
  findStaleVes,
  type RewrittenPayloads,
  rewritePayloads,
  type StaleRange,
} from './queries/rewrite-payloads.query.ts';
import { read } from './query.ts';

export type StaleRow = EventRow<StoredVesEvent> | EventRow<StoredLegacyEvent>;

/** Finds payloads that are not sealed with the key that they should be, and puts others in their place. */
export class PayloadRewriter {
  private readonly pool: Pick<pg.Pool, 'query'>;

  constructor(pool: Pick<pg.Pool, 'query'>) {
    this.pool = pool;
  }

  /** In order, at most as many as the range says. @throws LogUnavailable, InvariantBroken */
  stale(world: World, range: StaleRange): Promise<StaleRow[]> {
    return world === 'legacy'
      ? read(this.pool, findStaleLegacy, range)
      : read(this.pool, findStaleVes, range);
  }

  /**
   * Durable on return, all or nothing.
   * @returns how many rows were changed; the others had been changed by someone else
   * @throws LogUnavailable when it may or may not have happened, so that one looks again
   */
  async rewrite(world: World, payloads: RewrittenPayloads): Promise<number> {
    return (await read(this.pool, rewritePayloads[world], payloads)).length;
  }
}
