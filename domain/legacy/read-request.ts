import { sameBytes } from '../bytes.ts';
import { FieldNames, Repeated } from '../json/field-names.ts';
import { FieldReader } from '../json/fields.ts';
import { JsonReader } from '../json/reader.ts';
import type { Sha256 } from '../sha256.ts';
import type { AgentId, StoreKey, Uuid } from '../types.ts';
import type { LegacyEvent } from './event.ts';

/** One request to append to a legacy stream (http-api 7.2), read but not yet checked. */
export interface LegacyRequest {
  /** Null only when there are no events to take it from. */
  readonly agentId: AgentId | null;
  readonly events: readonly LegacyEventInRequest[];
}

/** An event with what the checks of the whole request look at and the log does not keep. */
export interface LegacyEventInRequest extends LegacyEvent, StoreKey {
  /** Length of the payload as compact JSON, which is what the limit is about. */
  readonly compactPayloadBytes: number;
}

/**
 * Reads the body of a legacy ingest request, once, byte by byte. Fields that it doesn't know are ignored, but must be
 * JSON. An absent `payload_hash` is computed; an absent `source_agent` is the request's `agent_id`, and an absent
 * `agent_id` is the `source_agent` of the first event.
 * @param body is not copied: the payloads of the events are views into it
 * @throws Refused with `UNREADABLE_JSON`, or with `WRONG_SHAPE` and a sentence that names the field
 */
export function readLegacyRequest(body: Uint8Array, sha256: Sha256): LegacyRequest {
  const root: { agentId: AgentId | null; drafts: Draft[] | null } = { agentId: null, drafts: null };
  fields.open(body);
  const rootAt = fields.object(legacyRequestNames, (name) => {
    if (name === 'agent_id') {
      root.agentId = fields.isNull() ? null : fields.uuid();
      return;
    }
    const drafts: Draft[] = (root.drafts = []);
    fields.array(() => drafts.push(readEvent(sha256)));
  });
  fields.finish();
  if (root.drafts === null) throw fields.missing(rootAt, 'events');
  if (root.drafts.length === 0) return { agentId: root.agentId, events: [] };
  const agentId = root.agentId ?? root.drafts[0]?.sourceAgent ?? null;
  if (agentId === null) throw fields.missing(rootAt, 'agent_id');
  return { agentId, events: root.drafts.map((draft) => completed(draft, agentId)) };
}

/**
 * Reads one envelope that stands alone, with its `source_agent`.
 * @param document is not copied: the payload is a view into it
 * @throws Refused as `readLegacyRequest` does
 */
export function readLegacyEvent(document: Uint8Array, sha256: Sha256): LegacyEventInRequest {
  fields.open(document);
  const draft = readEvent(sha256);
  fields.finish();
  if (draft.sourceAgent === null) throw fields.missing(draft.at, 'source_agent');
  return completed(draft, draft.sourceAgent);
}

const json = new JsonReader('legacy');
const fields = new FieldReader(json);
export const legacyRequestNames = new FieldNames(['agent_id', 'events']);
const optionalNames = [
  'envelope_version',
  'command_id',
  'payload_hash',
  'base_version',
  'sequence_number',
  'source_agent',
  'signature',
] as const;
type OptionalName = (typeof optionalNames)[number];
export const legacyEventNames = new FieldNames([
  'event_id',
  'tenant_id',
  'store_id',
  'entity_type',
  'entity_id',
  'event_type',
  'payload',
  'created_at',
  ...optionalNames,
]);
const u32Max = 0xffff_ffffn;
const u64Max = 0xffff_ffff_ffff_ffffn;

/** What most events of a request say alike. */
const repeated = {
  tenantId: new Repeated<Uuid>(),
  storeId: new Repeated<Uuid>(),
  sourceAgent: new Repeated<Uuid>(),
  entityType: new Repeated<string>(),
  eventType: new Repeated<string>(),
};

/** An event whose fields come in any order, and of which some may stay away. */
type Draft = { -readonly [Field in keyof LegacyEventInRequest]: LegacyEventInRequest[Field] | null } & {
  /** Where in the body it begins. */
  at: number;
  sentHash: Uint8Array | null;
};

function readEvent(sha256: Sha256): Draft {
  const draft: Draft = {
    at: 0,
    eventId: null,
    commandId: null,
    tenantId: null,
    storeId: null,
    entityType: null,
    entityId: null,
    eventType: null,
    sourceAgent: null,
    createdAt: null,
    baseVersion: null,
    payload: null,
    payloadHash: null,
    payloadHashDiffers: null,
    signature: null,
    compactPayloadBytes: null,
    sentHash: null,
  };
  draft.at = fields.object(legacyEventNames, (name) => {
    switch (name) {
      case 'event_id':
        draft.eventId = fields.uuid();
        break;
      case 'tenant_id':
        draft.tenantId = fields.uuid(repeated.tenantId);
        break;
      case 'store_id':
        draft.storeId = fields.uuid(repeated.storeId);
        break;
      case 'entity_type':
        draft.entityType = fields.text(repeated.entityType);
        break;
      case 'entity_id':
        draft.entityId = fields.text();
        break;
      case 'event_type':
        draft.eventType = fields.text(repeated.eventType);
        break;
      case 'created_at':
        draft.createdAt = fields.timestamp();
        break;
      case 'payload':
        draft.payload = fields.document();
        draft.compactPayloadBytes = json.end;
        draft.payloadHash = sha256(json.canonical());
        break;
      default:
        if (!fields.isNull()) readOptional(draft, name);
    }
  });
  return draft;
}

function readOptional(draft: Draft, name: OptionalName): void {
  switch (name) {
    case 'command_id':
      draft.commandId = fields.uuid();
      break;
    case 'source_agent':
      draft.sourceAgent = fields.uuid(repeated.sourceAgent);
      break;
    case 'payload_hash':
      draft.sentHash = fields.hex(32);
      break;
    case 'base_version':
      draft.baseVersion = fields.integer(u64Max);
      break;
    case 'signature':
      draft.signature = fields.bytes();
      break;
    // Of the right type, and of no effect: the version is 1 on output, and the sequence is not the sender's to give.
    case 'envelope_version':
      fields.integer(u32Max);
      break;
    case 'sequence_number':
      fields.integer(u64Max);
  }
}

/** The event, once everything that it needs is there. */
function completed(draft: Draft, agentId: AgentId): LegacyEventInRequest {
  const { at } = draft;
  const { eventId, tenantId, storeId, entityType, entityId, eventType, createdAt, payload, payloadHash } =
    draft;
  if (eventId === null) throw fields.missing(at, 'event_id');
  if (tenantId === null) throw fields.missing(at, 'tenant_id');
  if (storeId === null) throw fields.missing(at, 'store_id');
  if (entityType === null) throw fields.missing(at, 'entity_type');
  if (entityId === null) throw fields.missing(at, 'entity_id');
  if (eventType === null) throw fields.missing(at, 'event_type');
  if (payload === null || payloadHash === null) throw fields.missing(at, 'payload');
  if (createdAt === null) throw fields.missing(at, 'created_at');
  return {
    eventId,
    commandId: draft.commandId,
    tenantId,
    storeId,
    entityType,
    entityId,
    eventType,
    sourceAgent: draft.sourceAgent ?? agentId,
    createdAt,
    baseVersion: draft.baseVersion,
    payload,
    payloadHash,
    payloadHashDiffers: draft.sentHash !== null && !sameBytes(draft.sentHash, payloadHash),
    signature: draft.signature,
    compactPayloadBytes: draft.compactPayloadBytes ?? 0,
  };
}
