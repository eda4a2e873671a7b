import type pg from 'pg';
import { sameBytes, toHex } from '../../domain/bytes.ts';
import type { Sequence, World } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import type { OpenedPayload, PayloadVault } from '../../storage/payloads/payload-vault.ts';
import { DataKey } from '../../storage/payloads/sealed-payload.ts';
import type { ScannedStore } from '../../storage/postgres/log-scan.ts';
import { PayloadRewriter, type StaleRow } from '../../storage/postgres/payload-rewriter.ts';
import { statedPayloadHash, storedPayloadHash } from '../fsck/payload-hash.ts';

/** What was done, in numbers of events unless it says otherwise. */
export interface ReencryptReport {
  /** All that were passed: the sum of the next four. */
  readonly scanned: number;
  /** Sealed anew; in a dry run those that would be. */
  readonly updated: number;
  /** Sealed with the current key before we came. */
  readonly skipped: number;
  readonly erased: number;
  /** Left as they are, since what they hold can't be opened, or is not what its hash says. */
  readonly problemCount: number;
  /** Of many only the first. */
  readonly problems: readonly string[];
  /** Keys of tenants that were wrapped anew, and those whose master key is not at hand. */
  readonly keysRewrapped: number;
  readonly keysLocked: number;
  readonly limitReached: boolean;
}

export interface StreamWork {
  readonly pool: pg.Pool;
  readonly store: ScannedStore;
  readonly world: World;
  /** The key to seal with; nothing is written unless it is one. */
  readonly target: DataKey | { readonly keyNumber: number };
  readonly vault: PayloadVault;
  readonly batchSize: number;
}

/** Events that one look for stale ones goes through, so that it stays short where there are none. */
const windowEvents = 50_000;
const problemsMax = 100;

/**
 * Seals the payloads of a stream anew that are not sealed with the right key, in small batches. Each is compared with its hash
 * before it is written, so that nothing worse than before can come of it. What is appended meanwhile is not looked at.
 */
export async function reencryptStream(work: StreamWork, record: ReencryptRecord): Promise<void> {
  const { pool, store, world, target, batchSize } = work;
  const { storeNumber } = store;
  const rewriter = new PayloadRewriter(pool);
  const { keyNumber } = target;
  const { head } = store[world];
  for (let from = 1; from <= head && record.room > 0;) {
    const to = Math.min(head, from + windowEvents - 1);
    const limit = Math.min(batchSize, record.room);
    const range = { storeNumber, from: from as Sequence, to: to as Sequence, keyNumber, limit };
    const rows = await rewriter.stale(world, range);
    const payloads = await readPayloads(rows, work, record);
    let updated = payloads.length;
    if (target instanceof DataKey && payloads.length > 0) {
      const sealed = payloads.map(({ row: { event, payloadKeyNumber }, payload }) => ({
        sequence: event.sequence,
        keyNumberBefore: payloadKeyNumber,
        payload: target.seal(payload, { ...event, world }),
      }));
      updated = await rewriter.rewrite(world, { storeNumber, keyNumber, rows: sealed });
    }
    // Less than asked for: there are no others up to the end of the window.
    const next = rows.length < limit ? to + 1 : rows.at(-1)!.event.sequence + 1;
    record.pass(next - from, updated, rows.length - payloads.length);
    from = next;
  }
}

interface ReadPayload {
  readonly row: StaleRow;
  readonly payload: Uint8Array;
}

/** The payloads of the rows, but for those that are not what their rows say. */
async function readPayloads(
  rows: readonly StaleRow[],
  { vault, world, store }: StreamWork,
  record: ReencryptRecord,
): Promise<ReadPayload[]> {
  const opened = await vault.openEach<StaleRow['event']>(world, rows);
  return rows.flatMap((row, index) => {
    const found = payloadOrProblem(row, opened[index]!);
    if (typeof found !== 'string') return [{ row, payload: found }];
    record.problem(`${store.tenantId}/${store.storeId} ${world} ${row.event.sequence}: ${found}`);
    return [];
  });
}

function payloadOrProblem({ event }: StaleRow, opened: OpenedPayload): Uint8Array | string {
  if (opened.kind === 'erased') return 'its tenant was erased meanwhile';
  if (opened.kind !== 'payload') return opened.reason;
  const { payload } = opened;
  const computed = storedPayloadHash({ ...event, payload }, nodeSha256);
  const stated = statedPayloadHash(event);
  if (typeof computed === 'string') return computed;
  return sameBytes(computed, stated)
    ? payload
    : `its hash is ${toHex(computed)}, its row says ${toHex(stated)}`;
}

/** Adds up what is done. */
export class ReencryptRecord {
  private readonly limit: number;
  private readonly onScanned: (scanned: number) => void;
  private readonly problems: string[] = [];
  private readonly counts = {
    scanned: 0,
    updated: 0,
    skipped: 0,
    erased: 0,
    problemCount: 0,
    keysRewrapped: 0,
    keysLocked: 0,
  };

  constructor(limit: number, onScanned: (scanned: number) => void) {
    this.limit = limit;
    this.onScanned = onScanned;
  }

  /** How many rows may still be changed. */
  get room(): number {
    return this.limit - this.counts.updated;
  }

  pass(scanned: number, updated: number, problems: number): void {
    this.counts.scanned += scanned;
    this.counts.updated += updated;
    this.counts.skipped += scanned - updated - problems;
    this.onScanned(this.counts.scanned);
  }

  passErased(events: number): void {
    this.counts.scanned += events;
    this.counts.erased += events;
    this.onScanned(this.counts.scanned);
  }

  problem(sentence: string): void {
    this.counts.problemCount++;
    if (this.problems.length < problemsMax) this.problems.push(sentence);
  }

  addKeys({ rewrapped, locked }: { readonly rewrapped: number; readonly locked: number }): void {
    this.counts.keysRewrapped += rewrapped;
    this.counts.keysLocked += locked;
  }

  report(): ReencryptReport {
    return { ...this.counts, problems: this.problems, limitReached: this.room <= 0 };
  }
}
