import type { Query } from '../query.ts';

export interface RejectedEventsRule {
  readonly olderThanDays: number;
  readonly rowsMax: number;
}

/** Deletes the oldest records of refused events, in one statement's worth; tells of each. */
export const deleteRejectedEvents: Query<RejectedEventsRule, null> = {
  name: 'delete_rejected_events',
  text: `
    delete from rejected_events_log
     where (store_number, original_sequence) in (
           select store_number, original_sequence from rejected_events_log
            where rejected_at < now() - make_interval(days => $1)
            order by rejected_at limit $2)
    returning null`,
  values: ({ olderThanDays, rowsMax }) => [olderThanDays, rowsMax],
  row: () => null,
};
