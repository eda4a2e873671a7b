import { writeExactJson } from '../../../domain/projections/exact-json.ts';
import type { ProjectedStream, ProjectionStep } from '../../projections.ts';
import { toProjectedStream } from '../projection-row.ts';
import type { Query } from '../query.ts';

interface AdvanceParameters {
  readonly stream: ProjectedStream;
  readonly step: ProjectionStep;
  readonly claimSecs: number;
}

/**
 * One statement, so that states, checkpoint and dead letters change together or not at all. Everything comes from `fence`,
 * which is empty when another has changed the stream's projections since they were read.
 */
export const advanceProjection: Query<AdvanceParameters, ProjectedStream> = {
  name: 'advance_projection',
  text: `
    with fence as (
      update projection_checkpoints c
         set last_sequence = coalesce($3::bigint, c.last_sequence), revision = c.revision + 1,
             applied = c.applied + $4, refused = c.refused + $5, skipped = c.skipped + $6,
             claimed_until = greatest(c.claimed_until, clock_timestamp() + make_interval(secs => $7)),
             updated_at = clock_timestamp()
        from streams s
       where c.store_number = $1 and c.revision = $2 and s.store_number = c.store_number and not s.erased
      returning c.store_number, s.tenant_id, s.store_id, s.legacy_head as head, c.last_sequence, c.revision),
    entities as (
      insert into projected_entities (store_number, entity_type, entity_id, version, last_sequence, state)
      select f.store_number, e.*
        from fence f, unnest($8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::jsonb[]) as e
      on conflict (store_number, entity_type, entity_id) do update
         set version = excluded.version, state = excluded.state, updated_at = now(),
             last_sequence = greatest(projected_entities.last_sequence, excluded.last_sequence)),
    refusals as (
      select f.store_number, f.tenant_id, f.store_id, r.*
        from fence f, unnest($13::bigint[], $14::uuid[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[],
               $20::bigint[], $21::bigint[], $22::text[], $23::text[], $24::float8[])
               as r (sequence, event_id, entity_type, entity_id, event_type, reason_code, reason,
                     expected_version, actual_version, dead_letter_reason, status, delay_secs)),
    rejected as (
      insert into rejected_events_log (store_number, original_sequence, original_event_id, entity_type, entity_id, event_type,
                                       reason_code, reason, expected_version, actual_version)
      select store_number, sequence, event_id, entity_type, entity_id, event_type, reason_code, reason,
             expected_version, actual_version from refusals
      on conflict do nothing),
    dead_letters as (
      insert into dead_letter_events as d (store_number, tenant_id, store_id, sequence_number, event_id, event_type,
                                      entity_type, entity_id, reason, status, error_message, next_retry_at)
      select store_number, tenant_id, store_id, sequence, event_id, event_type, entity_type, entity_id,
             dead_letter_reason, status, reason, clock_timestamp() + make_interval(secs => delay_secs) from refusals
      on conflict (store_number, event_id) do update
         set retry_count = d.retry_count + 1, last_retry_at = clock_timestamp(), reason = excluded.reason,
             status = excluded.status, error_message = excluded.error_message, next_retry_at = excluded.next_retry_at),
    resolved as (
      update dead_letter_events d
         set status = 'resolved', next_retry_at = null, last_retry_at = clock_timestamp(), retry_count = d.retry_count + 1
        from fence f where d.id = $25::uuid and d.store_number = f.store_number)
    select * from fence`,
  values: ({ stream, step: { lastSequence, counts, entities, refusals, resolves }, claimSecs }) => [
    stream.storeNumber,
    stream.revision,
    lastSequence,
    counts.applied,
    counts.refused,
    counts.skipped,
    claimSecs,
    entities.map(({ entityType }) => entityType),
    entities.map(({ entityId }) => entityId),
    entities.map(({ version }) => version),
    entities.map((entity) => entity.lastSequence),
    entities.map(({ state }) => writeExactJson(state)),
    refusals.map(({ sequence }) => sequence),
    refusals.map(({ eventId }) => eventId),
    refusals.map(({ entityType }) => entityType),
    refusals.map(({ entityId }) => entityId),
    refusals.map(({ eventType }) => eventType),
    refusals.map(({ reasonCode }) => reasonCode),
    refusals.map(({ message }) => message),
    refusals.map(({ expectedVersion }) => expectedVersion),
    refusals.map(({ actualVersion }) => actualVersion),
    refusals.map(({ deadLetterReason }) => deadLetterReason),
    refusals.map(({ status }) => status),
    refusals.map(({ delaySecs }) => delaySecs),
    resolves,
  ],
  row: toProjectedStream,
};
