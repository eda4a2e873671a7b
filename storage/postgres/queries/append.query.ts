import type { Heads } from '../../../domain/types.ts';
import type { AppendBatch, NewLegacyEvent } from '../../event-log.ts';
import { BinaryArray, type elementTypes } from '../binary-encode.ts';
import { entityHash } from '../entity-hash.ts';

/**
 * One statement for the batches of many stores: the fence of each, and the events of those that passed it. Autocommit,
 * so that no owner can be paused inside its transaction. Returns the numbers of the stores whose batch was appended.
 *
 * - A fence row that another session holds is skipped, not waited for: neighbours must not wait, and nobody can
 *   deadlock. The caller finds the row unchanged and tries again. What is locked is locked in the order of numbers.
 * - `locked` waits for nothing, but it may see a row change under it; then Postgres checks its conditions again on the
 *   new version, and so it does in `fence`.
 * - Set-returning functions in the select list stream the events; in the from clause each would fill a temporary store
 *   first, which costs a fifth more.
 */
export const appendText = `
  with batches as (
    select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                         $7::timestamptz[])
        as b (store_number, epoch, legacy_head, ves_head, new_legacy_head, new_ves_head, sequenced_at)),
  locked as (
    select s.store_number
      from streams s join batches b using (store_number)
     where s.epoch = b.epoch and s.legacy_head = b.legacy_head and s.ves_head = b.ves_head
     order by s.store_number for update of s skip locked),
  fence as (
    update streams s
       set legacy_head = b.new_legacy_head, ves_head = b.new_ves_head, last_sequenced_at = b.sequenced_at
      from locked join batches b using (store_number)
     where s.store_number = locked.store_number
    returning s.store_number, s.last_sequenced_at as sequenced_at),
  appended as (
    insert into legacy_events (
      store_number, sequence, sequenced_at, created_at, entity_hash, base_version, event_id, command_id, source_agent,
      request_id, entity_type, entity_id, event_type, payload_hash, leaf_hash, signature, payload)
    select store_number, sequence, sequenced_at, created_at, entity_hash, base_version, event_id, command_id,
           source_agent, request_id, entity_type, entity_id, event_type, payload_hash, leaf_hash, signature, payload
      from fence join (
        select unnest($8::bigint[]) as store_number, unnest($9::bigint[]) as sequence,
               unnest($10::timestamptz[]) as created_at, unnest($11::bigint[]) as entity_hash,
               unnest($12::bigint[]) as base_version, unnest($13::uuid[]) as event_id, unnest($14::uuid[]) as command_id,
               unnest($15::uuid[]) as source_agent, unnest($16::uuid[]) as request_id,
               unnest($17::text[]) as entity_type, unnest($18::text[]) as entity_id, unnest($19::text[]) as event_type,
               unnest($20::bytea[]) as payload_hash, unnest($21::bytea[]) as leaf_hash,
               unnest($22::bytea[]) as signature, unnest($23::bytea[]) as payload) as e using (store_number))
  select store_number from fence`;

export interface PlannedBatch {
  readonly batch: AppendBatch;
  readonly newHeads: Heads;
}

/** The parameters of `appendText` in the order of their numbers, and the types of their elements. */
const parameterTypes = {
  storeNumber: 'int64',
  epoch: 'int64',
  legacyHead: 'int64',
  vesHead: 'int64',
  newLegacyHead: 'int64',
  newVesHead: 'int64',
  sequencedAt: 'timestamp',

  eventStore: 'int64',
  sequence: 'int64',
  createdAt: 'timestamp',
  entityHash: 'int64',
  baseVersion: 'int64',
  eventId: 'uuid',
  commandId: 'uuid',
  sourceAgent: 'uuid',
  requestId: 'uuid',
  entityType: 'text',
  entityId: 'text',
  eventType: 'text',
  payloadHash: 'bytea',
  leafHash: 'bytea',
  signature: 'bytea',
  payload: 'bytea',
} as const satisfies Record<string, keyof typeof elementTypes>;

type Arrays = Record<keyof typeof parameterTypes, BinaryArray>;

/** Encodes into memory that is used again: what `encode` returned is valid until it is called again. */
export class AppendParameters {
  private readonly arrays = Object.fromEntries(
    Object.entries(parameterTypes).map(([name, type]) => [name, new BinaryArray(type)]),
  ) as Arrays;

  /** The values for `appendText`; each store may have one batch among them. */
  encode(batches: readonly PlannedBatch[]): Buffer[] {
    const arrays = Object.values(this.arrays);
    for (const array of arrays) array.reset();
    for (const planned of batches) {
      this.addFence(planned);
      for (const event of planned.batch.legacy) this.addEvent(planned.batch.claim.storeNumber, event);
    }
    return arrays.map((array) => array.finish());
  }

  private addFence({ batch, newHeads }: PlannedBatch): void {
    const { claim, expectedHeads, sequencedAt } = batch;
    const to = this.arrays;
    to.storeNumber.next().int64(claim.storeNumber);
    to.epoch.next().int64(claim.epoch);
    to.legacyHead.next().int64(expectedHeads.legacy);
    to.vesHead.next().int64(expectedHeads.ves);
    to.newLegacyHead.next().int64(newHeads.legacy);
    to.newVesHead.next().int64(newHeads.ves);
    to.sequencedAt.next().timestamp(sequencedAt);
  }

  private addEvent(storeNumber: number, { event, sequence, requestId, leafHash }: NewLegacyEvent): void {
    const to = this.arrays;
    to.eventStore.next().int64(storeNumber);
    to.sequence.next().int64(sequence);
    to.createdAt.next().timestamp(event.createdAt);
    to.entityHash.next().bigInt64(entityHash(event));
    if (event.baseVersion === null) to.baseVersion.nextNull();
    else to.baseVersion.next().bigInt64(event.baseVersion);
    to.eventId.next().uuid(event.eventId);
    if (event.commandId === null) to.commandId.nextNull();
    else to.commandId.next().uuid(event.commandId);
    to.sourceAgent.next().uuid(event.sourceAgent);
    to.requestId.next().uuid(requestId);
    to.entityType.next().text(event.entityType);
    to.entityId.next().text(event.entityId);
    to.eventType.next().text(event.eventType);
    to.payloadHash.next().bytea(event.payloadHash);
    to.leafHash.next().bytea(leafHash);
    if (event.signature === null) to.signature.nextNull();
    else to.signature.next().bytea(event.signature);
    to.payload.next().bytea(event.payload);
  }
}
