import { joinBytes, toHex } from '../bytes.ts';
import { formatTimestamp } from '../time.ts';
import type { StoredLegacyEvent } from './event.ts';

/** The answer to a read of a range (http-api 7.3), as JSON in UTF-8. */
export function writeEventList(events: readonly StoredLegacyEvent[]): Uint8Array {
  return joinBytes(['{', ...eventList(events), `,"count":${events.length}}`]);
}

/** One event as lists have it, as JSON in UTF-8. */
export function writeLegacyEvent(event: StoredLegacyEvent): Uint8Array {
  return joinBytes([beforePayload(event), event.payload ?? erasedPayload, afterPayload(event)]);
}

/** A page of one entity's events (http-api 7.5). */
export interface EntityHistoryPage {
  readonly entityType: string;
  readonly entityId: string;
  readonly events: readonly StoredLegacyEvent[];
  /** How many of the entity's events come before the page. */
  readonly offset: number;
  /** How many events the entity has in all. */
  readonly total: number;
}

/** The answer to a read of an entity, as JSON in UTF-8. */
export function writeEntityHistory(page: EntityHistoryPage): Uint8Array {
  const { entityType, entityId, events, offset, total } = page;
  const hasMore = offset + events.length < total;
  return joinBytes([
    `{"entity_type":${JSON.stringify(entityType)},"entity_id":${JSON.stringify(entityId)},`,
    ...eventList(events),
    `,"count":${events.length},"total":${total},"has_more":${hasMore}}`,
  ]);
}

/** What stands for the payload of an erased tenant: a payload may be null by itself, so a second member tells. */
export const erasedPayload = 'null,"payload_erased":true';

/** Payloads are spliced in as they were received: parsing them would lose how their numbers were written. */
function eventList(events: readonly StoredLegacyEvent[]): (string | Uint8Array)[] {
  const parts: (string | Uint8Array)[] = ['"events":['];
  events.forEach((event, index) => {
    parts.push(
      (index === 0 ? '' : ',') + beforePayload(event),
      event.payload ?? erasedPayload,
      afterPayload(event),
    );
  });
  parts.push(']');
  return parts;
}

function beforePayload(event: StoredLegacyEvent): string {
  const command = event.commandId === null ? '' : `"command_id":"${event.commandId}",`;
  return (
    `{"envelope":{"envelope_version":1,"event_id":"${event.eventId}",${command}` +
    `"tenant_id":"${event.tenantId}","store_id":"${event.storeId}",` +
    `"entity_type":${JSON.stringify(event.entityType)},"entity_id":${JSON.stringify(event.entityId)},` +
    `"event_type":${JSON.stringify(event.eventType)},"payload":`
  );
}

function afterPayload(event: StoredLegacyEvent): string {
  const baseVersion = event.baseVersion === null ? '' : `"base_version":${event.baseVersion},`;
  const signature = event.signature === null ? '' : `,"signature":[${event.signature.join(',')}]`;
  return (
    `,"payload_hash":"${toHex(event.payloadHash)}",${baseVersion}` +
    `"created_at":"${formatTimestamp(event.createdAt, 'Z')}","sequence_number":${event.sequence},` +
    `"source_agent":"${event.sourceAgent}"${signature}},` +
    `"sequenced_at":"${formatTimestamp(event.sequencedAt, 'Z')}"}`
  );
}
