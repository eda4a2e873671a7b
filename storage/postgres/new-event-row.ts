import type { Sequenced } from '../../domain/sequencing/decision.ts';
import type { AgentId, Micros } from '../../domain/types.ts';
import type { CandidateEvent } from '../../domain/sequencing/world-rules.ts';
import { entityHashBytes } from './entity-hash.ts';
import type { ElementType, ParameterArrays } from './parameter-arrays.ts';

/** The columns that a new row of either world has and that do not come from its fence row, but for the payload. */
export const sharedColumns = {
  store_number: 'int64',
  sequence: 'int64',
  created_at: 'timestamp',
  entity_hash: 'int64',
  base_version: 'int64',
  event_id: 'uuid',
  command_id: 'uuid',
  source_agent: 'uuid',
  request_id: 'uuid',
  entity_type: 'text',
  entity_id: 'text',
  event_type: 'text',
  leaf_hash: 'bytea',
} as const satisfies Record<string, ElementType>;

/**
 * The last column of either world: the driver copies parameters into memory that grows as they come, and again whatever
 * came before, so the large one has to be the last.
 */
export const payloadColumn = { payload: 'bytea' } as const satisfies Record<string, ElementType>;

interface NewEvent extends CandidateEvent {
  readonly eventType: string;
  readonly sourceAgent: AgentId;
  readonly createdAt: Micros;
  readonly payload: Uint8Array;
}

export function writeSharedColumns(
  to: ParameterArrays<typeof sharedColumns & typeof payloadColumn>['to'],
  storeNumber: number,
  { event, sequence, requestId, leafHash }: Sequenced<NewEvent>,
): void {
  to.store_number.next().int64(storeNumber);
  to.sequence.next().int64(sequence);
  to.created_at.next().timestamp(event.createdAt);
  to.entity_hash.next().int64Bytes(entityHashBytes(event));
  if (event.baseVersion === null) to.base_version.nextNull();
  else to.base_version.next().bigInt64(event.baseVersion);
  to.event_id.next().uuid(event.eventId);
  if (event.commandId === null) to.command_id.nextNull();
  else to.command_id.next().uuid(event.commandId);
  to.source_agent.next().uuid(event.sourceAgent);
  to.request_id.next().uuid(requestId);
  to.entity_type.next().text(event.entityType);
  to.entity_id.next().text(event.entityId);
  to.event_type.next().text(event.eventType);
  to.leaf_hash.next().bytea(leafHash);
  to.payload.next().bytea(event.payload);
}
