import type { World } from '../../domain/types.ts';
import type { LogScan, ScannedStore } from '../../storage/postgres/log-scan.ts';
import { type ScanOutcome, ScanRecord } from './scan-task.ts';

const worlds: readonly World[] = ['legacy', 'ves'];

/** Checks what is not in one row: heads, repeated ids, the end of the chain of commitments, and the counts of entities. */
export async function checkStore(store: ScannedStore, scan: LogScan): Promise<ScanOutcome> {
  const { tenantId, storeId, storeNumber } = store;
  const record = new ScanRecord();
  for (const world of worlds) {
    const { head, lastSequence, chainEnd, committedTo } = store[world];
    const add = (
      column: string,
      [expected, found]: readonly [string | number, string | number],
      detail: string,
      sequence: number | null = null,
    ): void => {
      record.add({
        tenantId,
        storeId,
        world,
        sequence,
        column,
        expected: String(expected),
        found: String(found),
        detail,
      });
    };
    if (head !== (lastSequence ?? 0)) {
      add(`streams.${world}_head`, [lastSequence ?? 0, head], 'the head is the sequence of the last event');
    }
    if (chainEnd !== committedTo) {
      const detail = 'the chain ends where the last commitment does';
      add('commitment_chains.sequence_end', [committedTo, chainEnd], detail);
    }
    for (const { eventId, sequences } of await scan.repeatedIds(storeNumber, world)) {
      const found = `events ${sequences.join(' and ')}`;
      add(
        `${world}_events.event_id`,
        [`one event with the id ${eventId}`, found],
        'ids are unique',
        sequences[0],
      );
    }
  }
  for (const entity of await scan.miscountedEntities(storeNumber)) {
    record.add({
      tenantId,
      storeId,
      world: null,
      sequence: null,
      column: 'entity_counts',
      expected: `${entity.legacyEvents} legacy and ${entity.vesEvents} signed events`,
      found: `${entity.legacyCounted} and ${entity.vesCounted}`,
      detail: `counted of the entity ${entity.entityType}/${entity.entityId}`,
    });
  }
  return record.outcome();
}
