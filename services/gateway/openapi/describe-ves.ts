import {
  encryptedPayloadNames,
  hpkeNames,
  recipientNames,
} from '../../../domain/ves/read-encrypted-payload.ts';
import { signatureBundleNames, vesEventNames, vesRequestNames } from '../../../domain/ves/read-request.ts';
import { eventsLimitDefault, eventsLimitMax } from '../handlers/list-events.ts';
import { headAnswer, hole } from './describe-events.ts';
import { optionalQuery, pathParameter, type RouteDescription } from './description.ts';
import {
  agentId,
  count,
  generatedId,
  hash,
  limitQuery,
  names,
  sample,
  sequence,
  storeId,
  storeQuery,
  tenantId,
  time,
} from './samples.ts';
import {
  about,
  absent,
  answer,
  anything,
  hex,
  integer,
  list,
  nullable,
  oneOf,
  optional,
  request,
  text,
  u32,
  u64,
  uuid,
} from './shape.ts';

const zeros = '0'.repeat(64);
/** Made with the private key of RFC 8032, 7.1, test 1, which everyone knows. */
const signed = {
  plainHash: '0x30501e412e3a4397116b43b5b731767ae380b6a87d429830bbdaa0ff94c02e0c',
  signature:
    '0x88dbcf0b46d5e9adc26c900d23afb407157de96de15c8893bbb0e610f7518872' +
    '9a2b483577929a9d9af60100292bc0e8fa26e58cd8ba3a796a9ee259f69f6008',
};
const bytes = list(integer(1, { maximum: 255 }));

const encryptedPayload = request(encryptedPayloadNames, {
  enc_version: u32(1),
  aead: text('AES-256-GCM'),
  nonce_b64u: text('12 bytes'),
  ciphertext_b64u: text('at least one byte'),
  tag_b64u: text('16 bytes'),
  hpke: request(hpkeNames, {
    mode: text('base'),
    kem: text('X25519-HKDF-SHA256'),
    kdf: text('HKDF-SHA256'),
    aead: text('AES-256-GCM'),
  }),
  recipients: list(
    request(recipientNames, { recipient_kid: u32(1), enc_b64u: text('32 bytes'), ct_b64u: text('48 bytes') }),
  ),
});

const eventFields = {
  ves_version: about('1 is the only one that is accepted', u32(1)),
  event_id: uuid(sample.signedEvent),
  tenant_id: tenantId,
  store_id: storeId,
  source_agent_id: agentId,
  agent_key_id: u32(1),
  entity_type: names.entityType,
  entity_id: names.entityId,
  event_type: names.eventType,
  created_at: about('Kept letter by letter, since it is signed', time),
  payload_kind: about('0 is plain, 1 encrypted', oneOf([0, 1])),
  payload: optional(about('For kind 0: any JSON but null', anything(sample.payload))),
  payload_encrypted: absent(about('For kind 1', encryptedPayload)),
  payload_plain_hash: hex(32, signed.plainHash, '(0x)?'),
  payload_cipher_hash: about('Zeros for kind 0', hex(32, `0x${zeros}`, '(0x)?')),
  agent_signature: hex(64, signed.signature, '(0x)?'),
  agent_signature_scheme: absent(
    about('1 is Ed25519', integer(1, { minimum: -2_147_483_648, maximum: 2_147_483_647 })),
  ),
  command_id: absent(about('Given to one event of the stream only', uuid(sample.generated))),
  base_version: absent(about('The version that the entity must have; 0 for a new one', u64(0))),
};

const sentEvent = request(vesEventNames, {
  ...eventFields,
  agent_signature_bundle: absent(
    request(signatureBundleNames, { ed25519_signature: absent(bytes), ml_dsa_65_signature: absent(bytes) }),
  ),
});

/** A signed event as it is read back, so that it verifies as it stands. */
export const vesEvent = answer({ ...eventFields, sequence_number: sequence, sequenced_at: time });

export const receipt = answer({
  sequencerId: generatedId,
  eventId: uuid(sample.signedEvent),
  sequenceNumber: sequence,
  sequencedAt: time,
  receiptHash: hash,
  signatureAlg: oneOf(['ed25519', 'none']),
  sequencerSignature: text(sample.hash + sample.hash, { pattern: '^([0-9a-f]{128})?$' }),
  sequencerKeyVersion: u32(1),
  receiptSignatureScheme: optional(oneOf([1])),
});

const eventWithReceipt = answer({ event: vesEvent, receipt });

export const describeVes = {
  ingest: {
    id: 'ingestSignedEvents',
    tag: 'ves',
    summary: 'Appends signed events to the VES stream of a store',
    who: 'write',
    body: request(vesRequestNames, { agentId, events: list(sentEvent) }),
    answer: {
      about: 'What became of each event; an exact replay gets its stored receipt again and is not counted',
      shape: answer({
        batchId: about('Random; names nothing that is stored', generatedId),
        eventsAccepted: count,
        eventsRejected: integer(0),
        sequenceStart: nullable(sequence),
        sequenceEnd: nullable(sequence),
        headSequence: u64(1),
        rejections: absent(
          list(
            answer({
              event_id: uuid(sample.signedEvent),
              reason: text('invalid_signature'),
              message: text('…'),
            }),
          ),
        ),
        receipts: optional(list(receipt)),
      }),
    },
    needs: ['registerAgentKey'],
  },
  list: {
    id: 'listSignedEvents',
    tag: 'ves',
    summary: 'Reads a range of the VES stream, each event with its receipt',
    who: 'read',
    parameters: [
      ...storeQuery,
      optionalQuery('from', 'The first sequence of the range; 0 counts as 1', u64(1)),
      limitQuery(eventsLimitDefault, eventsLimitMax),
    ],
    answer: {
      about: 'The events, ascending and without gaps',
      shape: answer({ events: list(eventWithReceipt), count }),
    },
    refusals: { 409: hole },
    needs: ['ingestSignedEvents'],
  },
  one: {
    id: 'readSignedEvent',
    tag: 'ves',
    summary: 'Reads one signed event with its receipt',
    who: 'read',
    parameters: [
      pathParameter('event_id', 'An event of this stream', uuid(sample.signedEvent)),
      ...storeQuery,
    ],
    answer: { about: 'The event in the form in which it was signed', shape: eventWithReceipt },
    refusals: { 404: 'The stream has no such event' },
    needs: ['ingestSignedEvents'],
  },
  head: {
    id: 'readSignedHead',
    tag: 'ves',
    summary: 'Tells the head of the VES stream',
    who: 'read',
    parameters: storeQuery,
    answer: headAnswer,
  },
} as const satisfies Record<string, RouteDescription>;
