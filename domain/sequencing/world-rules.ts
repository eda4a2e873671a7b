import { sameBytes } from '../bytes.ts';
import { canonicalText } from '../json/canonical.ts';
import type { LegacyEvent } from '../legacy/event.ts';
import { legacyLeafHash } from '../legacy/hashes.ts';
import type { Sha256 } from '../sha256.ts';
import type { CommandId, EventId, Hash, Sequence, StoreKey } from '../types.ts';
import { vesLeafHash } from '../ves/hashes.ts';
import type { CheckedVesEvent, StoredVesEvent } from '../ves/event.ts';
import type { Sequenced, StoredRef } from './decision.ts';
import type { Fault } from './rejection.ts';

/** What deciding looks at in an event of either world. */
export interface CandidateEvent {
  readonly eventId: EventId;
  readonly commandId: CommandId | null;
  readonly entityType: string;
  readonly entityId: string;
  readonly baseVersion: bigint | null;
  readonly schemaFault?: Fault;
}

/** Where the two worlds differ. */
export interface WorldRules<Event extends CandidateEvent, Stored extends StoredRef> {
  faultOf(event: Event): Fault | null;
  /** Whether an event repeats one that is stored, or about to be, and is therefore no duplicate. */
  isReplay(event: Event, ref: Stored | Sequenced<Event>): boolean;
  /** The signed event that a replay is answered from; null where there is none, or none that is stored yet. */
  storedOf(ref: Stored | Sequenced<Event>): StoredVesEvent | null;
  leafHash(store: StoreKey, sequence: Sequence, event: Event, sha256: Sha256): Hash;
}

const hashDiffers: Fault = {
  reason: 'payload-hash-differs',
  message:
    'payload_hash is not the SHA-256 of the payload; send the event without payload_hash to have it computed',
};

export const legacyRules: WorldRules<LegacyEvent, StoredRef> = {
  faultOf: (event) => (event.payloadHashDiffers ? hashDiffers : null),
  isReplay: () => false,
  storedOf: () => null,
  leafHash: (store, sequence, { payloadHash, entityType, entityId }, sha256) =>
    legacyLeafHash(store, sequence, payloadHash, entityType, entityId, sha256),
};

export const vesRules: WorldRules<CheckedVesEvent, StoredVesEvent> = {
  faultOf: (event) => event.fault,
  isReplay: (event, ref) => hasEqualContent(event, 'event' in ref ? ref.event : ref),
  storedOf: (ref) => ('event' in ref ? null : ref),
  leafHash: ({ tenantId, storeId }, sequence, { signingHash, agentSignature }, sha256) =>
    vesLeafHash({ tenantId, storeId, agentSignature }, sequence, signingHash, sha256),
};

/** Ves-format 9.3: every field of the envelope, the literal `created_at`, and the payload as a JSON value. */
function hasEqualContent(event: CheckedVesEvent, other: CheckedVesEvent | StoredVesEvent): boolean {
  return (
    event.vesVersion === other.vesVersion &&
    event.commandId === other.commandId &&
    event.sourceAgent === other.sourceAgent &&
    event.agentKeyId === other.agentKeyId &&
    event.entityType === other.entityType &&
    event.entityId === other.entityId &&
    event.eventType === other.eventType &&
    event.createdAtText === other.createdAtText &&
    event.baseVersion === other.baseVersion &&
    event.payloadKind === other.payloadKind &&
    sameBytes(event.payloadPlainHash, other.payloadPlainHash) &&
    sameBytes(event.payloadCipherHash, other.payloadCipherHash) &&
    sameBytes(event.agentSignature, other.agentSignature) &&
    // One that is erased can't be compared; without a fault, the payload is what the equal hashes are of.
    (other.payload === null ? event.fault === null : isEqualJson(event.payload, other.payload))
  );
}

function isEqualJson(a: Uint8Array, b: Uint8Array): boolean {
  return sameBytes(a, b) || sameBytes(canonicalText(a, 'jcs'), canonicalText(b, 'jcs'));
}
