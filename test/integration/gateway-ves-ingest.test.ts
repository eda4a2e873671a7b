import { Decoder, Encoder } from 'cbor-x';
import { AppendOutcomeUnknown, MailboxFull } from '../../domain/errors.ts';
import type { Hash, Head, Sequence } from '../../domain/types.ts';
import { toBrokerError } from '../../services/broker-errors.ts';
import type { AppendReply } from '../../services/contracts.ts';
import { uuid } from '../support/events.ts';
import { ingestInit, noEvents, openGateway, type OpenedGateway } from '../support/open-gateway.ts';
import { newAgent, signedEvent, vesBody } from '../support/ves-events.ts';

const path = '/api/v1/ves/events/ingest';
const agent = newAgent();
const body = vesBody(agent.agentId, [signedEvent(agent)]);
const noReceipts: AppendReply = { ...noEvents, signed: { sequencerId: uuid(0x5e), receipts: [] } };

let gateway: OpenedGateway;
beforeAll(async () => {
  gateway = await openGateway();
});
beforeEach(() => {
  gateway.appends.length = 0;
  gateway.answerAppend = () => Promise.resolve(noReceipts);
});
afterAll(() => gateway.stop());

test('the request reaches the owner as the bytes it came in, with what the key may do', async () => {
  await gateway.addKey('ss_reader', { tenantId: agent.tenantId, agentId: agent.agentId, write: false });
  const spaced = ` ${body}\n`;
  await gateway.fetch(path, ingestInit(spaced, { authorization: 'ApiKey ss_reader' }));
  const [params] = gateway.appends;
  expect(Buffer.from(params!.body).toString()).toBe(spaced);
  expect(params).toMatchObject({
    tenantId: agent.tenantId,
    storeId: agent.storeId,
    world: 'ves',
    principal: { agentId: agent.agentId, mayWrite: false },
  });
});

test.each([
  ['no events', vesBody(agent.agentId, []), 400],
  ['no store', vesBody(agent.agentId, [{ ...signedEvent(agent), store_id: undefined }]), 422],
  ['no JSON', '{', 400],
])('a request with %s goes nowhere', async (_what, text, status) => {
  expect((await gateway.fetch(path, ingestInit(text))).status).toBe(status);
  expect(gateway.appends).toEqual([]);
});

const reply: AppendReply = {
  accepted: 1,
  rejected: 9,
  sequenceStart: 8 as Sequence,
  sequenceEnd: 8 as Sequence,
  head: 8 as Head,
  rejections: [
    { eventId: uuid(1), reason: 'duplicate-event-id', message: 'a', sequence: 4 as Sequence },
    { eventId: uuid(2), reason: 'duplicate-command-id', message: 'b' },
    { eventId: uuid(3), reason: 'payload-hash-differs', message: 'c' },
    { eventId: uuid(4), reason: 'cipher-hash-differs', message: 'd' },
    { eventId: uuid(5), reason: 'signature-differs', message: 'e' },
    { eventId: uuid(6), reason: 'agent-key-invalid', message: 'f', detail: 'Agent key not found' },
    { eventId: uuid(7), reason: 'unsupported-version', message: 'g' },
    { eventId: uuid(8), reason: 'wrong-field', message: 'h', detail: 'created_at' },
    { eventId: uuid(9), reason: 'version-conflict', message: 'i', detail: 'expected 2, actual 5' },
  ],
  receipts: [{ eventId: uuid(0xb), sequence: 8 as Sequence }],
  signed: {
    sequencerId: uuid(0x5e),
    receipts: [
      {
        eventId: uuid(0xa),
        sequence: 3 as Sequence,
        sequencedAt: '2025-12-20T18:31:22.123+00:00',
        receiptHash: new Uint8Array(32).fill(0xab) as Uint8Array as Hash,
        signature: null,
      },
      {
        eventId: uuid(0xb),
        sequence: 8 as Sequence,
        sequencedAt: '2025-12-20T18:31:23+00:00',
        receiptHash: new Uint8Array(32).fill(0xcd) as Uint8Array as Hash,
        signature: { signature: new Uint8Array(64).fill(0xef), keyVersion: 2 },
      },
    ],
  },
};

/** What the broker's serializer makes of an answer on its way between two nodes. */
function overTheWire(sent: AppendReply): AppendReply {
  return new Decoder().decode(new Encoder().encode(sent)) as AppendReply;
}

test.each([
  ['of this node', reply],
  ['of another node', overTheWire(reply)],
])('the answer of an owner is worded for clients: %s', async (_where, answer) => {
  gateway.answerAppend = () => Promise.resolve(answer);
  const response = await gateway.fetch(path, ingestInit(body));
  expect(response.status).toBe(200);
  const rejected = (number: number, reason: string, message: string): object => ({
    event_id: uuid(number),
    reason,
    message,
  });
  expect(await response.json()).toEqual({
    batchId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    eventsAccepted: 1,
    eventsRejected: 9,
    sequenceStart: 8,
    sequenceEnd: 8,
    headSequence: 8,
    rejections: [
      rejected(1, 'duplicate_event_id', 'a'),
      rejected(2, 'duplicate_command_id', 'b'),
      rejected(3, 'invalid_payload_hash', 'c'),
      rejected(4, 'invalid_cipher_hash', 'd'),
      rejected(5, 'invalid_signature', 'e'),
      rejected(6, 'agent_key_invalid: Agent key not found', 'f'),
      rejected(7, 'unsupported_version', 'g'),
      rejected(8, 'schema_validation: created_at', 'h'),
      rejected(9, 'version_conflict: expected 2, actual 5', 'i'),
    ],
    receipts: [
      {
        sequencerId: uuid(0x5e),
        eventId: uuid(0xa),
        sequenceNumber: 3,
        sequencedAt: '2025-12-20T18:31:22.123+00:00',
        receiptHash: 'ab'.repeat(32),
        signatureAlg: 'none',
        sequencerSignature: '',
        sequencerKeyVersion: 0,
      },
      {
        sequencerId: uuid(0x5e),
        eventId: uuid(0xb),
        sequenceNumber: 8,
        sequencedAt: '2025-12-20T18:31:23+00:00',
        receiptHash: 'cd'.repeat(32),
        signatureAlg: 'ed25519',
        sequencerSignature: 'ef'.repeat(64),
        sequencerKeyVersion: 2,
        receiptSignatureScheme: 1,
      },
    ],
  });
});

test('an answer without rejections and receipts has neither list', async () => {
  const answer = (await (await gateway.fetch(path, ingestInit(body))).json()) as object;
  expect(Object.keys(answer)).toEqual([
    'batchId',
    'eventsAccepted',
    'eventsRejected',
    'sequenceStart',
    'sequenceEnd',
    'headSequence',
  ]);
});

test.each([
  ['not now', new MailboxFull('full'), 503, 'SERVICE_UNAVAILABLE'],
  ['an unknown outcome', new AppendOutcomeUnknown('lost'), 504, 'TIMEOUT'],
])('%s has the coded form of this route', async (_what, error, status, code) => {
  gateway.answerAppend = () => Promise.reject(toBrokerError(error));
  const response = await gateway.fetch(path, ingestInit(body));
  expect([response.status, response.headers.get('x-error-code')]).toEqual([status, code]);
});
