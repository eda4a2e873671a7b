import type { Strictness } from '../base64url.ts';
import { FieldNames, Repeated } from '../json/field-names.ts';
import { FieldReader } from '../json/fields.ts';
import { JsonReader } from '../json/reader.ts';
import type { Sha256 } from '../sha256.ts';
import type { AgentId, Hash, StoreKey, Uuid } from '../types.ts';
import type { EncryptedPayload } from './encrypted-payload.ts';
import type { VesEvent } from './event.ts';
import { payloadPlainHash } from './hashes.ts';
import { readEncryptedPayload } from './read-encrypted-payload.ts';

/** One request to append to a VES stream (http-api 8.1), read but not yet checked. */
export interface VesRequest {
  readonly agentId: AgentId;
  readonly events: readonly VesEventInRequest[];
}

/**
 * An event with what the checks look at and the log does not keep. Its `payload` is empty when the one that its kind calls
 * for is absent, which a JSON null counts as.
 */
export interface VesEventInRequest extends VesEvent, StoreKey {
  /** The hash of `payload`, computed here; null when that is absent. */
  readonly computedPlainHash: Hash | null;
  /** What `payload_encrypted` says; null when that is absent. */
  readonly encrypted: EncryptedPayload | null;
  /** Length as compact JSON of the payload that its kind calls for. */
  readonly compactPayloadBytes: number;
}

/**
 * Reads the body of a VES ingest request, byte by byte. Fields that it doesn't know are ignored, but must be JSON.
 * @param body is not copied: the payloads of the events are views into it
 * @param strictness `strict` wants 0x and lower case in hashes and signatures
 * @throws Refused with `UNREADABLE_JSON`, or with `WRONG_SHAPE` and a sentence that names the field
 */
export function readVesRequest(body: Uint8Array, strictness: Strictness, sha256: Sha256): VesRequest {
  const root: { agentId: AgentId | null; drafts: Draft[] | null } = { agentId: null, drafts: null };
  fields.open(body);
  const rootAt = fields.object(vesRequestNames, (name) => {
    if (name === 'agentId') {
      root.agentId = fields.uuid();
      return;
    }
    const drafts: Draft[] = (root.drafts = []);
    fields.array(() => drafts.push(readEvent(strictness, sha256)));
  });
  fields.finish();
  if (root.agentId === null) throw fields.missing(rootAt, 'agentId');
  if (root.drafts === null) throw fields.missing(rootAt, 'events');
  return { agentId: root.agentId, events: root.drafts.map(completed) };
}

/**
 * Reads one event that stands alone, in the form that requests have it in. What else the object holds is ignored.
 * @param document is not copied: the payload is a view into it
 * @throws Refused as `readVesRequest` does
 */
export function readVesEvent(
  document: Uint8Array,
  strictness: Strictness,
  sha256: Sha256,
): VesEventInRequest {
  fields.open(document);
  const draft = readEvent(strictness, sha256);
  fields.finish();
  return completed(draft);
}

const json = new JsonReader('jcs');
const fields = new FieldReader(json);
export const vesRequestNames = new FieldNames(['agentId', 'events']);
export const vesEventNames = new FieldNames([
  'ves_version',
  'event_id',
  'tenant_id',
  'store_id',
  'source_agent_id',
  'agent_key_id',
  'entity_type',
  'entity_id',
  'event_type',
  'created_at',
  'payload_kind',
  'payload_plain_hash',
  'payload_cipher_hash',
  'agent_signature',
  'payload',
  'payload_encrypted',
  'agent_signature_scheme',
  'agent_signature_bundle',
  'command_id',
  'base_version',
]);
export const signatureBundleNames = new FieldNames(['ed25519_signature', 'ml_dsa_65_signature']);
const u32Max = 0xffff_ffffn;
const u64Max = 0xffff_ffff_ffff_ffffn;
const i32Min = -0x8000_0000n;
const i32Max = 0x7fff_ffffn;

/** What most events of a request say alike. */
const repeated = {
  tenantId: new Repeated<Uuid>(),
  storeId: new Repeated<Uuid>(),
  sourceAgent: new Repeated<Uuid>(),
  entityType: new Repeated<string>(),
  eventType: new Repeated<string>(),
};

/** A payload as it was found: its text, and its length as compact JSON. */
interface FoundPayload {
  readonly text: Uint8Array;
  readonly compactBytes: number;
}

/** An event whose fields come in any order, and of which some may stay away. */
type Draft = {
  -readonly [Field in keyof Omit<VesEventInRequest, 'payload' | 'compactPayloadBytes'>]:
    VesEventInRequest[Field] | null;
} & {
  /** Where in the body it begins. */
  at: number;
  plain: FoundPayload | null;
  sealed: FoundPayload | null;
};

function readEvent(strictness: Strictness, sha256: Sha256): Draft {
  const hexForm = strictness === 'strict' ? 'strictly 0x' : 'with or without 0x';
  const draft: Draft = {
    at: 0,
    vesVersion: null,
    eventId: null,
    tenantId: null,
    storeId: null,
    sourceAgent: null,
    agentKeyId: null,
    entityType: null,
    entityId: null,
    eventType: null,
    createdAtText: null,
    payloadKind: null,
    payloadPlainHash: null,
    payloadCipherHash: null,
    agentSignature: null,
    signatureScheme: null,
    commandId: null,
    baseVersion: null,
    computedPlainHash: null,
    encrypted: null,
    plain: null,
    sealed: null,
  };
  draft.at = fields.object(vesEventNames, (name) => {
    switch (name) {
      case 'ves_version':
        draft.vesVersion = Number(fields.integer(u32Max));
        break;
      case 'event_id':
        draft.eventId = fields.uuid();
        break;
      case 'tenant_id':
        draft.tenantId = fields.uuid(repeated.tenantId);
        break;
      case 'store_id':
        draft.storeId = fields.uuid(repeated.storeId);
        break;
      case 'source_agent_id':
        draft.sourceAgent = fields.uuid(repeated.sourceAgent);
        break;
      case 'agent_key_id':
        draft.agentKeyId = Number(fields.integer(u32Max));
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
        draft.createdAtText = fields.text();
        break;
      case 'payload_kind':
        draft.payloadKind = fields.integer(1n) === 1n ? 1 : 0;
        break;
      case 'payload_plain_hash':
        draft.payloadPlainHash = fields.hex(32, hexForm) as Hash;
        break;
      case 'payload_cipher_hash':
        draft.payloadCipherHash = fields.hex(32, hexForm) as Hash;
        break;
      case 'agent_signature':
        draft.agentSignature = fields.hex(64, hexForm);
        break;
      default:
        if (!fields.isNull()) readOptional(draft, name, sha256);
    }
  });
  return draft;
}

type OptionalName =
  | 'payload'
  | 'payload_encrypted'
  | 'agent_signature_scheme'
  | 'agent_signature_bundle'
  | 'command_id'
  | 'base_version';

function readOptional(draft: Draft, name: OptionalName, sha256: Sha256): void {
  switch (name) {
    case 'payload':
      draft.plain = { text: fields.document(), compactBytes: json.end };
      draft.computedPlainHash = payloadPlainHash(json.canonical(), null, sha256);
      break;
    case 'payload_encrypted': {
      const { start, payload } = readEncryptedPayload(fields);
      draft.encrypted = payload;
      draft.sealed = { text: fields.documentFrom(start), compactBytes: json.end };
      break;
    }
    case 'agent_signature_scheme':
      draft.signatureScheme = Number(fields.integer(i32Max, i32Min));
      break;
    case 'agent_signature_bundle':
      // Post-quantum only, signed by nobody, and kept nowhere; but of the right type.
      fields.object(signatureBundleNames, () => fields.isNull() || fields.bytes());
      break;
    case 'command_id':
      draft.commandId = fields.uuid();
      break;
    case 'base_version':
      draft.baseVersion = fields.integer(u64Max);
  }
}

/** The event, once everything that it needs is there. */
function completed(draft: Draft): VesEventInRequest {
  const needed = <Field extends keyof Draft>(field: Field, name: string): NonNullable<Draft[Field]> => {
    const value = draft[field];
    if (value === null) throw fields.missing(draft.at, name);
    return value;
  };
  const payloadKind = needed('payloadKind', 'payload_kind');
  const found = payloadKind === 0 ? draft.plain : draft.sealed;
  return {
    vesVersion: needed('vesVersion', 'ves_version'),
    eventId: needed('eventId', 'event_id'),
    tenantId: needed('tenantId', 'tenant_id'),
    storeId: needed('storeId', 'store_id'),
    sourceAgent: needed('sourceAgent', 'source_agent_id'),
    agentKeyId: needed('agentKeyId', 'agent_key_id'),
    entityType: needed('entityType', 'entity_type'),
    entityId: needed('entityId', 'entity_id'),
    eventType: needed('eventType', 'event_type'),
    createdAtText: needed('createdAtText', 'created_at'),
    payloadKind,
    payload: found?.text ?? new Uint8Array(0),
    payloadPlainHash: needed('payloadPlainHash', 'payload_plain_hash'),
    payloadCipherHash: needed('payloadCipherHash', 'payload_cipher_hash'),
    agentSignature: needed('agentSignature', 'agent_signature'),
    signatureScheme: draft.signatureScheme,
    commandId: draft.commandId,
    baseVersion: draft.baseVersion,
    computedPlainHash: draft.computedPlainHash,
    encrypted: draft.encrypted,
    compactPayloadBytes: found?.compactBytes ?? 0,
  };
}
