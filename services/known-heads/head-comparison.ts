import { storeKeyText } from '../../domain/types.ts';
import type { KnownHead } from '../../storage/known-heads/known-head.ts';
import type { LostHead, LostHeads } from '../../storage/lost-heads.ts';

interface Waiting {
  readonly known: KnownHead;
  readonly resolve: (lost: LostHead[]) => void;
  readonly reject: (error: unknown) => void;
}

const headsMax = 500;

/** Compares heads with the log, many in a statement: a node that takes over from another claims thousands of stores at once. */
export class HeadComparison {
  private readonly lostHeads: Pick<LostHeads, 'compare'>;
  private waiting: Waiting[] = [];
  private isRunning = false;

  constructor(lostHeads: Pick<LostHeads, 'compare'>) {
    this.lostHeads = lostHeads;
  }

  /** What the log contradicts of one store; see `LostHeads.compare`. */
  compare(known: KnownHead): Promise<LostHead[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ known, resolve, reject });
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    // What comes in the same turn of the event loop shares the statement.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const taken = this.waiting.splice(0, headsMax);
      try {
        const lost = await this.lostHeads.compare(taken.map(({ known }) => known));
        const byStore = Map.groupBy(lost, storeKeyText);
        for (const { known, resolve } of taken) resolve(byStore.get(storeKeyText(known)) ?? []);
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
    }
    this.isRunning = false;
  }
}
