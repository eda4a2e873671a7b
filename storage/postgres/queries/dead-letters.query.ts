import type { Uuid } from '../../../domain/types.ts';
import type { DeadLetter, DeadLetterFilter, DeadLetterPage, RefusedAgain } from '../../projections.ts';
import type { Query } from '../query.ts';
import { timestampText } from '../timestamp-text.ts';

const columns = `
  id, tenant_id, store_id, sequence_number, event_id, event_type, entity_type, entity_id, reason, status, error_message,
  retry_count, max_retries, last_retry_at, next_retry_at, created_at`;

export const claimDueDeadLetters: Query<{ readonly max: number; readonly claimSecs: number }, DeadLetter> = {
  name: 'claim_due_dead_letters',
  text: `
    update dead_letter_events
       set status = 'retrying', next_retry_at = clock_timestamp() + make_interval(secs => $2)
     where id in (
       select id from dead_letter_events
        where status in ('pending', 'retrying') and next_retry_at <= clock_timestamp()
        order by next_retry_at limit $1 for update skip locked)
    returning ${columns}`,
  values: ({ max, claimSecs }) => [max, claimSecs],
  row: toDeadLetter,
};

export const claimDeadLetter: Query<{ readonly id: Uuid; readonly claimSecs: number }, DeadLetter> = {
  name: 'claim_dead_letter',
  text: `
    update dead_letter_events
       set status = 'retrying', next_retry_at = clock_timestamp() + make_interval(secs => $2)
     where id = $1
       and (status in ('pending', 'failed') or status = 'retrying' and next_retry_at <= clock_timestamp())
    returning ${columns}`,
  values: ({ id, claimSecs }) => [id, claimSecs],
  row: toDeadLetter,
};

export const noteRefusal: Query<RefusedAgain & { readonly id: Uuid }, null> = {
  name: 'note_refusal',
  text: `
    update dead_letter_events
       set retry_count = retry_count + 1, last_retry_at = clock_timestamp(), reason = $2, error_message = $3, status = $4,
           next_retry_at = clock_timestamp() + make_interval(secs => $5::float8)
     where id = $1`,
  values: ({ id, reason, message, status, delaySecs }) => [id, reason, message, status, delaySecs],
  row: () => null,
};

export const discardDeadLetter: Query<{ readonly id: Uuid }, DeadLetter> = {
  name: 'discard_dead_letter',
  text: `
    delete from dead_letter_events
     where id = $1 and not (status = 'retrying' and next_retry_at > clock_timestamp())
    returning ${columns}`,
  values: ({ id }) => [id],
  row: toDeadLetter,
};

export const findDeadLetter: Query<{ readonly id: Uuid }, DeadLetter> = {
  name: 'find_dead_letter',
  text: `select ${columns} from dead_letter_events where id = $1`,
  values: ({ id }) => [id],
  row: toDeadLetter,
};

interface ListParameters {
  readonly filter: DeadLetterFilter;
  readonly page: DeadLetterPage;
}

/** A statement of its own for one tenant and for all, so that each gets a plan with the index that fits. */
export function listDeadLetters({ tenantId }: DeadLetterFilter): Query<ListParameters, DeadLetter> {
  return tenantId === null ? listOfAll : listOfTenant;
}

const listOfAll = list('list_dead_letters', '$1::uuid is null');
const listOfTenant = list('list_dead_letters_of_tenant', 'tenant_id = $1');

function list(name: string, ofTenant: string): Query<ListParameters, DeadLetter> {
  return {
    name,
    text: `
    select ${columns} from dead_letter_events
     where ${ofTenant}
       and ($2::uuid is null or store_id = $2) and ($3::text is null or status = $3) and ($4::text is null or reason = $4)
       and (created_at, id) < (coalesce($5::timestamptz, 'infinity'),
                               coalesce($6::uuid, '00000000-0000-0000-0000-000000000000'))
     order by created_at desc, id desc
     limit $7`,
    values: ({ filter: { tenantId, storeId, status, reason }, page: { after, limit } }) => [
      tenantId,
      storeId,
      status,
      reason,
      timestampText(after?.createdAt ?? null),
      after?.id ?? null,
      limit,
    ],
    row: toDeadLetter,
  };
}

function toDeadLetter(found: Readonly<Record<string, unknown>>): DeadLetter {
  return {
    id: found.id,
    tenantId: found.tenant_id,
    storeId: found.store_id,
    sequence: found.sequence_number,
    eventId: found.event_id,
    eventType: found.event_type,
    entityType: found.entity_type,
    entityId: found.entity_id,
    reason: found.reason,
    status: found.status,
    errorMessage: found.error_message,
    retryCount: found.retry_count,
    retriesMax: found.max_retries,
    lastRetryAt: found.last_retry_at,
    nextRetryAt: found.next_retry_at,
    createdAt: found.created_at,
  } as DeadLetter;
}
