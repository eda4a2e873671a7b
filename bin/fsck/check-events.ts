import { InvariantBroken } from '../../domain/errors.ts';
import type { StoredLegacyEvent } from '../../domain/legacy/event.ts';
import type { Sequence } from '../../domain/types.ts';
import type { Cryptography } from '../../domain/verify/verify.ts';
import type { StoredVesEvent } from '../../domain/ves/event.ts';
import type { PayloadVault } from '../../storage/payloads/payload-vault.ts';
import type { LogScan } from '../../storage/postgres/log-scan.ts';
import { PageSize } from '../page-size.ts';
import { checkLegacyRow } from './check-legacy-row.ts';
import { checkVesRow } from './check-ves-row.ts';
import type { Fault } from './finding.ts';
import type { KeyCache } from './key-cache.ts';
import { type OpenedRow, toOpenedRows } from './opened-row.ts';
import { type OnProgress, type ScanOutcome, ScanRecord, type ScanTask } from './scan-task.ts';

type EventsTask = Extract<ScanTask, { readonly kind: 'events' }>;
type Row = OpenedRow<StoredVesEvent> | OpenedRow<StoredLegacyEvent>;

export interface EventTools {
  readonly scan: LogScan;
  readonly vault: PayloadVault;
  readonly keys: KeyCache;
  readonly cryptography: Cryptography;
}

/** Checks every row of a range, and that none is missing. */
export async function checkEvents(
  task: EventsTask,
  { scan, vault, keys, cryptography }: EventTools,
  onProgress: OnProgress,
): Promise<ScanOutcome> {
  const { world } = task;
  const { storeNumber, tenantId, storeId } = task.store;
  const record = new ScanRecord();
  const page = new PageSize();
  const report = (sequence: number, fault: Fault): void =>
    record.add({ tenantId, storeId, world, sequence, ...fault });

  let expected = task.from;
  for (let from = task.from; from <= task.to;) {
    const to = Math.min(task.to, from + page.current - 1);
    const rows = await readRows(from, to);
    for (const row of rows) {
      const { sequence } = row.event;
      noteMissing(expected, sequence - 1);
      expected = sequence + 1;
      record.events++;
      if (row.opened.kind === 'erased') record.erasedPayloads++;
      if (row.opened.kind === 'unreadable') record.unreadablePayloads++;
      for (const fault of await faultsOf(row)) report(sequence, fault);
    }
    page.read(
      rows.length,
      rows.reduce((sum, { event }) => sum + (event.payload?.length ?? 0), 0),
    );
    onProgress(to - from + 1);
    from = to + 1;
  }
  noteMissing(expected, task.to);
  return record.outcome();

  async function readRows(from: number, to: number): Promise<Row[]> {
    const range = { storeNumber, from: from as Sequence, to: to as Sequence };
    try {
      if (world === 'ves') {
        const rows = await scan.vesEvents(range);
        return toOpenedRows(rows, await vault.openEach(world, rows));
      }
      const rows = await scan.legacyEvents(range);
      return toOpenedRows(rows, await vault.openEach(world, rows));
    } catch (error) {
      // A value that no row of ours can have: found by halving, so that the rows around it are checked all the same.
      if (!(error instanceof InvariantBroken)) throw error;
      if (from === to) {
        report(from, {
          column: `${world}_events`,
          expected: 'a row that can be read',
          found: error.message,
          detail: 'a column has a value that it can not have',
        });
        expected = from + 1;
        return [];
      }
      const middle = Math.floor((from + to) / 2);
      return [...(await readRows(from, middle)), ...(await readRows(middle + 1, to))];
    }
  }

  async function faultsOf(row: Row): Promise<Fault[]> {
    if (!('signingHash' in row.event)) {
      return checkLegacyRow(row as OpenedRow<StoredLegacyEvent>, cryptography.sha256);
    }
    const signed = row as OpenedRow<StoredVesEvent>;
    const { tenantId: tenant, sourceAgent: agentId, agentKeyId: keyId, receiptSignature } = signed.event;
    const agentKey = await keys.agentKey({ tenantId: tenant, agentId, keyId });
    const receiptKey =
      receiptSignature === null ? null : await keys.sequencerKey(receiptSignature.keyVersion);
    return checkVesRow(signed, { agentKey, receiptKey }, cryptography);
  }

  function noteMissing(first: number, last: number): void {
    if (last < first) return;
    report(first, {
      column: `${world}_events.sequence`,
      expected: first === last ? `event ${first}` : `events ${first}..${last}`,
      found: 'nothing',
      detail: 'sequences are without gaps up to the head',
    });
  }
}
