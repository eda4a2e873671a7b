import fc from 'fast-check';
import { toHex, utf8Bytes } from '../../domain/bytes.ts';
import type { RequestPrincipal } from '../../domain/check-request.ts';
import { Refused } from '../../domain/errors.ts';
import { findStoreKey } from '../../domain/find-store-key.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import { parseUuid } from '../../domain/uuid.ts';
import { checkVesRequest } from '../../domain/ves/check-request.ts';
import { readVesRequest } from '../../domain/ves/read-request.ts';
import type { VesEventInRequest, VesRequest } from '../../domain/ves/read-request.ts';
import { vectors } from '../vectors/ves-v1.ts';

const plainVector = vectors.ves_events.find(({ name }) => name === 'with_command_and_base_version_unsigned')!;
const sealedVector = vectors.ves_events.find(({ name }) => name === 'encrypted_four_recipients')!;
const plain = { ...plainVector.event, payload: JSON.parse(plainVector.payload_json) as unknown };
const sealed = sealedVector.event as any;
const agent = parseUuid(plain.source_agent_id)!;
const stranger = parseUuid('33333333-3333-4333-8333-333333333333')!;

function read(body: unknown, strictness: 'lenient' | 'strict' = 'lenient'): VesRequest {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readVesRequest(utf8Bytes(text), strictness, portableSha256);
}

function readEvent(event: object, strictness?: 'lenient' | 'strict'): VesEventInRequest {
  return read({ agentId: agent, events: [event] }, strictness).events[0]!;
}

function refusalOf(run: () => unknown): Refused {
  try {
    run();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

/** A copy of the encrypted event with one field of its payload changed, or taken away by `undefined`. */
function withSealed(path: string, value: unknown): object {
  const copy = structuredClone(sealed);
  const steps = path.split('.');
  let target = copy.payload_encrypted;
  for (const step of steps.slice(0, -1)) target = target[step];
  target[steps.at(-1)!] = value;
  return copy;
}

describe('readVesRequest', () => {
  test('reads a plain event', () => {
    const event = readEvent(plain);
    expect(event).toMatchObject({
      vesVersion: 1,
      eventId: plain.event_id,
      sourceAgent: agent,
      agentKeyId: plain.agent_key_id,
      createdAtText: '2025-12-20T20:31:22.123+02:00',
      commandId: '3a583227-81c0-4cf7-8f54-d5163118fc79',
      baseVersion: 7n,
      payloadKind: 0,
      encrypted: null,
      signatureScheme: null,
    });
    expect(`0x${toHex(event.payloadPlainHash)}`).toBe(plain.payload_plain_hash);
    expect(`0x${toHex(event.computedPlainHash!)}`).toBe(plain.payload_plain_hash);
    expect(event.agentSignature).toHaveLength(64);
    expect(JSON.parse(new TextDecoder().decode(event.payload))).toEqual(plain.payload);
    expect(event.compactPayloadBytes).toBe(event.payload.length);
  });

  test('reads an encrypted event', () => {
    const event = readEvent(sealed);
    const { payload_encrypted } = sealed;
    expect(event).toMatchObject({ payloadKind: 1, computedPlainHash: null });
    expect(event.encrypted).toEqual({
      encVersion: 1,
      aead: 'AES-256-GCM',
      nonce: payload_encrypted.nonce_b64u,
      ciphertext: payload_encrypted.ciphertext_b64u,
      tag: payload_encrypted.tag_b64u,
      hpke: payload_encrypted.hpke,
      recipients: payload_encrypted.recipients.map((of: any) => ({
        kid: of.recipient_kid,
        enc: of.enc_b64u,
        ct: of.ct_b64u,
      })),
    });
    expect(JSON.parse(new TextDecoder().decode(event.payload))).toEqual(payload_encrypted);
    const spaced = read(JSON.stringify({ agentId: agent, events: [sealed] }, null, 3)).events[0]!;
    expect(spaced.compactPayloadBytes).toBe(JSON.stringify(payload_encrypted).length);
  });

  test('reads optional fields that are null as if they were absent', () => {
    const { command_id: _command, base_version: _base, ...bare } = plain as any;
    const nulls = {
      ...bare,
      command_id: null,
      base_version: null,
      agent_signature_scheme: null,
      agent_signature_bundle: null,
      payload_encrypted: null,
    };
    expect(readEvent(nulls)).toEqual(readEvent(bare));
    expect(readEvent({ ...sealed, payload: null })).toEqual(readEvent(sealed));
  });

  test('knows the fields of signatures that it does not check', () => {
    const schemes = [0, 1, 2, 3, -2_147_483_648, 2_147_483_647];
    for (const scheme of schemes) {
      expect(readEvent({ ...plain, agent_signature_scheme: scheme }).signatureScheme).toBe(scheme);
    }
    const bundle = { ed25519_signature: [1, 255], ml_dsa_65_signature: null, other: {} };
    expect(readEvent({ ...plain, agent_signature_bundle: bundle })).toEqual(readEvent(plain));
  });

  test('ignores what the sequencer sets itself, and what it does not know', () => {
    const extra = { sequence_number: 'x', sequenced_at: 5, tenantId: stranger };
    expect(readEvent({ ...plain, ...extra })).toEqual(readEvent(plain));
  });

  test('takes hex with and without 0x in any case, and one form only when it is strict', () => {
    const bare = plain.payload_plain_hash.slice(2);
    for (const text of [bare, bare.toUpperCase(), `0x${bare}`, `0x${bare.toUpperCase()}`]) {
      expect(readEvent({ ...plain, payload_plain_hash: text })).toEqual(readEvent(plain));
      const strict = (): unknown => readEvent({ ...plain, payload_plain_hash: text }, 'strict');
      if (text === plain.payload_plain_hash) expect(strict()).toEqual(readEvent(plain));
      else expect(refusalOf(strict).message).toContain('must be 64 lower-case hex digits after 0x');
    }
  });

  test('its body leads a gateway to the same store', () => {
    const body = utf8Bytes(JSON.stringify({ agentId: agent, events: [plain] }));
    expect(findStoreKey(body)).toEqual({ tenantId: plain.tenant_id, storeId: plain.store_id });
  });
});

describe('a VES request of the wrong shape is refused', () => {
  const requiredNames = [
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
  ];

  test.each(requiredNames)('when %s is missing, null or of another type', (name) => {
    const missing = refusalOf(() => readEvent({ ...plain, [name]: undefined }));
    expect(missing).toMatchObject({ code: 'WRONG_SHAPE', message: `events[0].${name} is missing` });
    for (const value of [null, [], true]) {
      const { message } = refusalOf(() => readEvent({ ...plain, [name]: value }));
      expect(message).toMatch(
        new RegExp(`^events\\[0\\]\\.${name} must be an? .*, not |^events\\[0\\]\\.${name} must be \\d+`),
      );
    }
  });

  test.each([
    [{ payload_kind: 2 }, 'events[0].payload_kind must be an integer from 0 to 1, not 2'],
    [{ agent_key_id: 4_294_967_296 }, 'events[0].agent_key_id must be an integer from 0 to 4294967295'],
    [{ agent_key_id: -1 }, 'not -1'],
    [{ ves_version: 1.5 }, 'not 1.5'],
    [{ payload_plain_hash: '0X'.padEnd(66, 'a') }, 'must be 64 hex digits with or without 0x'],
    [{ payload_plain_hash: '0x' }, 'must be 64 hex digits with or without 0x'],
    [{ payload_plain_hash: 'a'.repeat(66) }, 'must be 64 hex digits with or without 0x'],
    [{ payload_plain_hash: `0x0${'a'.repeat(64)}` }, 'must be 64 hex digits with or without 0x'],
    [{ payload_cipher_hash: '' }, 'must be 64 hex digits with or without 0x'],
    [{ agent_signature: 'ab'.repeat(32) }, 'must be 128 hex digits with or without 0x'],
    [{ agent_signature_scheme: 2_147_483_648 }, 'must be an integer from -2147483648 to 2147483647'],
    [{ agent_signature_bundle: { ed25519_signature: 'ff' } }, 'ed25519_signature must be an array'],
    [{ command_id: 'x' }, 'events[0].command_id must be a UUID'],
    [{ base_version: -1 }, 'events[0].base_version must be an integer from 0 to 18446744073709551615'],
    [{ payload_encrypted: 'x' }, 'events[0].payload_encrypted must be an object, not "x"'],
  ])('%j: %s', (changes, message) => {
    const refusal = refusalOf(() => readEvent({ ...plain, ...changes }));
    expect(refusal.code).toBe('WRONG_SHAPE');
    expect(refusal.message).toContain(message);
  });

  test.each([
    ['enc_version', undefined, 'events[0].payload_encrypted.enc_version is missing'],
    ['enc_version', '1', 'events[0].payload_encrypted.enc_version must be an integer'],
    ['aead', undefined, 'events[0].payload_encrypted.aead is missing'],
    ['nonce_b64u', 5, 'events[0].payload_encrypted.nonce_b64u must be a string, not 5'],
    ['ciphertext_b64u', undefined, 'ciphertext_b64u is missing'],
    ['tag_b64u', null, 'tag_b64u must be a string, not null'],
    ['hpke', undefined, 'events[0].payload_encrypted.hpke is missing'],
    ['hpke.kem', undefined, 'events[0].payload_encrypted.hpke.kem is missing'],
    ['recipients', {}, 'events[0].payload_encrypted.recipients must be an array, not {}'],
    ['recipients.2.ct_b64u', undefined, 'events[0].payload_encrypted.recipients[2].ct_b64u is missing'],
    ['recipients.1.recipient_kid', -1, 'recipients[1].recipient_kid must be an integer'],
  ])('payload_encrypted.%s = %j: %s', (path, value, message) => {
    expect(refusalOf(() => readEvent(withSealed(path, value))).message).toContain(message);
  });

  test.each([
    [{ events: [] }, 'agentId is missing'],
    [{ agentId: null, events: [] }, 'agentId must be a UUID, not null'],
    [{ agentId: agent }, 'events is missing'],
    [{ agent_id: agent, events: [] }, 'agentId is missing'],
  ])('%j: %s', (body, message) => {
    expect(refusalOf(() => read(body)).message).toBe(message);
  });

  test('when a field comes twice, in the envelope or in the encrypted payload', () => {
    const text = JSON.stringify({ agentId: agent, events: [sealed] });
    const twice = text.replace('"enc_version":1', '"enc_version":1,"enc_version":1');
    expect(refusalOf(() => read(twice)).message).toBe(
      'events[0].payload_encrypted.enc_version is given twice',
    );
    expect(
      refusalOf(() => read(text.replace('"ves_version":1', '"ves_version":1,"ves_version":1'))).message,
    ).toBe('events[0].ves_version is given twice');
  });
});

test('random damage to a VES request is refused, or harmless, and nothing else', () => {
  const valid = utf8Bytes(JSON.stringify({ agentId: agent, events: [plain, sealed] }));
  const damage = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(damage, (changes) => {
      const body = Uint8Array.from(valid);
      for (const [at, byte] of changes) body[at] = byte;
      try {
        readVesRequest(body, 'lenient', portableSha256);
      } catch (error) {
        expect(error).toBeInstanceOf(Refused);
      }
    }),
    { numRuns: 1_000 },
  );
});

describe('checkVesRequest', () => {
  const limits = { maxEventsPerBatch: 2, maxEventPayloadSize: 100_000 };

  function check(
    events: object[],
    principal: RequestPrincipal = { agentId: null, mayWrite: true },
    bytesMax = limits.maxEventPayloadSize,
  ): string {
    try {
      const request = read({ agentId: agent, events });
      checkVesRequest(request, principal, { ...limits, maxEventPayloadSize: bytesMax });
      return 'passed';
    } catch (error) {
      if (error instanceof Refused) return `${error.code}: ${error.message}`;
      throw error;
    }
  }

  const own = { ...sealed, source_agent_id: agent, store_id: plain.store_id, tenant_id: plain.tenant_id };

  test('passes what is within all limits', () => {
    expect(check([plain, own])).toBe('passed');
    expect(check([plain], { agentId: agent, mayWrite: true })).toBe('passed');
  });

  test('refuses a request without events', () => {
    expect(check([])).toMatch(/^INVALID_FIELD_VALUE: events is empty/);
  });

  test('refuses each fault with its code, the published first one of several', () => {
    const { payload: _payload, ...empty } = plain;
    const unauthorised = { agentId: null, mayWrite: false };
    expect(check([plain, { ...plain, store_id: stranger }])).toMatch(
      /^INVALID_FIELD_VALUE: events\[1\] has another/,
    );
    expect(check([empty], { agentId: stranger, mayWrite: false })).toMatch(
      /^INSUFFICIENT_PERMISSIONS: .*agentId is/,
    );
    expect(check([{ ...empty, source_agent_id: stranger }], unauthorised)).toMatch(
      /^INVALID_FIELD_VALUE: events\[0\]\.source_agent_id is .*must be the agentId/,
    );
    expect(check([empty, empty, empty], unauthorised)).toMatch(/^INSUFFICIENT_PERMISSIONS: .*may not write/);
    expect(check([empty, empty, empty])).toMatch(/^PAYLOAD_TOO_LARGE: events has 3 entries/);
    expect(check([{ ...empty, event_type: '' }])).toMatch(
      /^INVALID_FIELD_VALUE: events\[0\]\.event_type has 0 bytes/,
    );
    expect(check([plain, own], undefined, 400)).toMatch(/^PAYLOAD_TOO_LARGE: events\[1\]\.payload has/);
    expect(check([plain, empty])).toBe('INVALID_FIELD_VALUE: events[1] has payload_kind 0 and no payload');
    expect(check([{ ...plain, payload: null }])).toBe(
      'INVALID_FIELD_VALUE: events[0] has payload_kind 0 and no payload',
    );
    expect(check([{ ...own, payload_encrypted: null }])).toBe(
      'INVALID_FIELD_VALUE: events[0] has payload_kind 1 and no payload_encrypted',
    );
  });
});
