import type { KnownHeads } from '../../actors/known-heads.ts';
import type { Clock } from '../../domain/clock.ts';
import { LogRolledBack } from '../../domain/errors.ts';
import type { Decision, Sequenced } from '../../domain/sequencing/decision.ts';
import { storeKeyText } from '../../domain/types.ts';
import type { Claim } from '../../storage/event-log.ts';
import { HeadTable } from '../../storage/known-heads/head-table.ts';
import { HeadsFile, readHeadsFile } from '../../storage/known-heads/heads-file.ts';
import type { KnownEvent } from '../../storage/known-heads/known-head.ts';
import type { LostHead, LostHeads } from '../../storage/lost-heads.ts';
import type { Log } from '../../telemetry/log.ts';
import { HeadComparison } from './head-comparison.ts';

export interface AcknowledgedHeadsOptions {
  /** The file that keeps them between runs. */
  readonly path: string;
  readonly nodeId: string;
  /** Beyond it, the store appended to longest ago is forgotten. */
  readonly storesMax: number;
  readonly lostHeads: LostHeads;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Pick<Log, 'error' | 'warn'>;
}

/** The longest that a crash of the node may take what it knows back. */
const writePauseMs = 1_000;
const pageSize = 5_000;
/** Losses that the log names one by one; the command names them all. */
const lossesNamedMax = 20;

/**
 * The last events that this node acknowledged of each store. `note` changes memory; a timer writes what changed to the file,
 * once a second at most. So no append waits for the disk, and kill -9 loses the knowledge of the last second at most.
 */
export class AcknowledgedHeads implements KnownHeads {
  private readonly options: AcknowledgedHeadsOptions;
  private readonly table: HeadTable;
  private readonly file: HeadsFile;
  private readonly comparison: HeadComparison;
  /** Stores that the file is behind on, by `storeKeyText`. */
  private changed = new Set<string>();
  private timer: { cancel(): void } | null = null;
  private writing: Promise<void> = Promise.resolve();
  private failed = false;

  /**
   * Reads what the last run knew, and compares all of it with the log.
   * @throws LogUnfit when the file is of another version
   * @throws LogUnavailable when the log can't be asked
   */
  static async open(options: AcknowledgedHeadsOptions): Promise<AcknowledgedHeads> {
    const kept = await readHeadsFile(options.path);
    const opened = new AcknowledgedHeads(options);
    if (kept !== null && kept.damaged > 0) {
      const { path } = options;
      options.log.warn({ path, damaged: kept.damaged }, 'some of the known heads are damaged and left out');
    }
    for (const head of kept?.heads ?? []) opened.table.put(head);
    await opened.compareAll();
    return opened;
  }

  private constructor(options: AcknowledgedHeadsOptions) {
    this.options = options;
    this.table = new HeadTable(options.storesMax);
    this.file = new HeadsFile(options.path);
    this.comparison = new HeadComparison(options.lostHeads);
  }

  async check(claim: Claim): Promise<void> {
    const known = this.table.get(claim);
    if (known === null) return;
    const lost = await this.comparison.compare(known);
    if (lost.length === 0) return;
    await this.settle(lost);
    if (lost.some(({ isAccepted }) => !isAccepted)) throw new LogRolledBack(claim);
  }

  note(claim: Claim, { legacy, ves }: Pick<Decision, 'legacy' | 'ves'>): void {
    if (legacy.length === 0 && ves.length === 0) return;
    const ends = { legacy: lastOf(legacy), ves: lastOf(ves) };
    this.changed.add(this.table.advance(claim, claim.epoch, ends));
    this.scheduleWrite();
  }

  /** Writes what is still to be written. */
  async close(): Promise<void> {
    this.cancelWrite();
    await this.writing;
    await this.write();
    this.cancelWrite();
    await this.file.close();
  }

  private async compareAll(): Promise<void> {
    const lost: LostHead[] = [];
    for (const page of this.table.pages(pageSize)) lost.push(...(await this.options.lostHeads.compare(page)));
    if (lost.length > 0) await this.settle(lost);
  }

  /** Forgets what an operator has accepted as lost, and tells of the rest: to the other nodes and in the log. */
  private async settle(lost: readonly LostHead[]): Promise<void> {
    for (const { isAccepted, world, ...store } of lost) {
      const known = this.table.get(store);
      if (!isAccepted || known === null) continue;
      this.table.put({ ...known, [world]: null });
      this.changed.add(storeKeyText(store));
      this.scheduleWrite();
    }
    const open = lost.filter(({ isAccepted }) => !isAccepted);
    if (open.length === 0) return;
    await this.options.lostHeads.report(open, this.options.nodeId);
    const { log } = this.options;
    for (const { tenantId, storeId, world, sequence, epoch } of open.slice(0, lossesNamedMax)) {
      log.error(
        { tenantId, storeId, world, sequence, epoch },
        'the log lacks an event that this node acknowledged: nothing is appended to the store until "sequencer accept-rollback" accepts the loss',
      );
    }
    if (open.length > lossesNamedMax) {
      log.error(
        { losses: open.length },
        'more acknowledged events are missing: see "sequencer accept-rollback"',
      );
    }
  }

  private cancelWrite(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private scheduleWrite(): void {
    this.timer ??= this.options.clock.after(writePauseMs, () => {
      this.timer = null;
      this.writing = this.writing.then(() => this.write());
    });
  }

  /** Never rejects: what could not be written is tried again. */
  private async write(): Promise<void> {
    if (this.changed.size === 0) return;
    const { changed, table } = this;
    this.changed = new Set();
    table.touch(changed);
    try {
      await this.file.write(table.encode(changed), table.size, () => table.encode());
      this.failed = false;
    } catch (error) {
      if (!this.failed) {
        const { path } = this.options;
        this.options.log.error(
          { err: error, path },
          'the heads that this node acknowledged can not be written',
        );
      }
      this.failed = true;
      for (const key of changed) this.changed.add(key);
      this.scheduleWrite();
    }
  }
}

function lastOf(events: readonly Sequenced<unknown>[]): KnownEvent | null {
  const last = events.at(-1);
  return last === undefined ? null : { sequence: last.sequence, leafHash: last.leafHash };
}
