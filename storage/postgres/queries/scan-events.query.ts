import type { StoredLegacyEvent } from '../../../domain/legacy/event.ts';
import type { EventId, Sequence, World } from '../../../domain/types.ts';
import type { StoredVesEvent } from '../../../domain/ves/event.ts';
import { legacyEventColumns, toLegacyRow } from '../legacy-event-row.ts';
import type { EventRow } from '../../payloads/payload-vault.ts';
import type { Query } from '../query.ts';
import { toVesRow, vesEventColumns } from '../ves-event-row.ts';
import { worldColumns } from '../world-columns.ts';

export interface EventRange {
  readonly storeNumber: number;
  readonly from: Sequence;
  readonly to: Sequence;
}

/** What a check of a row looks at beside the event. */
export interface ScannedRow<Event> extends EventRow<Event> {
  /** Digits: more than a number can name. */
  readonly entityHash: string;
}

export const scanVesEvents: Query<EventRange, ScannedRow<StoredVesEvent>> = {
  name: 'scan_ves_events',
  text: scanText('ves', vesEventColumns),
  values: ({ storeNumber, from, to }) => [storeNumber, from, to],
  row: (columns) => ({ ...toVesRow(columns), entityHash: columns.entity_hash_text as string }),
};

export const scanLegacyEvents: Query<EventRange, ScannedRow<StoredLegacyEvent>> = {
  name: 'scan_legacy_events',
  text: scanText('legacy', legacyEventColumns),
  values: ({ storeNumber, from, to }) => [storeNumber, from, to],
  row: (columns) => ({ ...toLegacyRow(columns), entityHash: columns.entity_hash_text as string }),
};

/** Event ids that a stream has more than once, with the sequences. */
export const scanRepeatedIds: Readonly<
  Record<World, Query<{ storeNumber: number }, { eventId: EventId; sequences: readonly Sequence[] }>>
> = { legacy: repeatedIdsOf('legacy'), ves: repeatedIdsOf('ves') };

function scanText(world: World, columns: string): string {
  return `
    select ${columns}, e.entity_hash::text as entity_hash_text
      from streams s join ${worldColumns[world].events} e using (store_number)
     where s.store_number = $1 and e.sequence between $2 and $3
     order by e.sequence`;
}

function repeatedIdsOf(
  world: World,
): Query<{ storeNumber: number }, { eventId: EventId; sequences: readonly Sequence[] }> {
  return {
    name: `scan_repeated_${world}_ids`,
    text: `
      select event_id, string_agg(sequence::text, ',' order by sequence) as sequences
        from ${worldColumns[world].events} where store_number = $1
       group by event_id having count(*) > 1 order by min(sequence) limit 100`,
    values: ({ storeNumber }) => [storeNumber],
    row: (columns) => ({
      eventId: columns.event_id as EventId,
      sequences: (columns.sequences as string).split(',').map((text) => Number(text) as Sequence),
    }),
  };
}
