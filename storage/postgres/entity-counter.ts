import type pg from 'pg';
import type { Heads } from '../../domain/types.ts';
import type { Log } from '../../telemetry/log.ts';
import { countEntities, startWatermark } from './queries/count-entities.query.ts';
import { send } from './query.ts';

export interface EntityCounterOptions {
  readonly pool: pg.Pool;
  /** After this many events of a store its entities are counted, in steps of this size. */
  readonly countEveryEvents: number;
  readonly log: Pick<Log, 'warn'>;
}

/**
 * Keeps `entity_counts` close behind the heads, so that a version is never counted over a long history. Only a matter
 * of speed: a count that fails or is lost is made up for by the next one, and any node may count any store.
 */
export class EntityCounter {
  private readonly options: EntityCounterOptions;
  private readonly due = new Set<number>();
  private running: Promise<void> | null = null;
  private isClosed = false;

  constructor(options: EntityCounterOptions) {
    this.options = options;
  }

  /** To be told of every append; counts in the background whenever the head passes a multiple of the step. */
  appended(storeNumber: number, before: Heads, after: Heads): void {
    const stepsAt = ({ legacy, ves }: Heads): number =>
      Math.floor((legacy + ves) / this.options.countEveryEvents);
    if (this.isClosed || stepsAt(before) === stepsAt(after)) return;
    this.due.add(storeNumber);
    this.running ??= this.run();
  }

  /** Resolves when nothing is due. */
  async settled(): Promise<void> {
    await this.running;
  }

  /** Finishes the step under way and takes up no other. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.running;
  }

  private async run(): Promise<void> {
    // One store at a time: counting is never urgent, and its connection is missed elsewhere.
    for (const storeNumber of this.due) {
      this.due.delete(storeNumber);
      try {
        await this.count(storeNumber);
      } catch (error) {
        this.options.log.warn({ err: error, storeNumber }, 'the entities of a store were not counted');
      }
    }
    this.running = null;
  }

  private async count(storeNumber: number): Promise<void> {
    const { pool, countEveryEvents: eventsMax } = this.options;
    await send(pool, startWatermark, { storeNumber });
    let counted = eventsMax;
    while (counted === eventsMax && !this.isClosed) {
      const [row] = await send(pool, countEntities, { storeNumber, eventsMax });
      counted = row?.counted ?? 0;
    }
  }
}
