import { parseHex, sameBytes } from '../../../domain/bytes.ts';
import { Refused } from '../../../domain/errors.ts';
import { FieldNames } from '../../../domain/json/field-names.ts';
import { FieldReader } from '../../../domain/json/fields.ts';
import { JsonReader } from '../../../domain/json/reader.ts';
import { parseTimestamp } from '../../../domain/time.ts';
import type { Micros, Uuid } from '../../../domain/types.ts';
import type { AgentKeyRef, NewAgentKey } from '../../../domain/ves/agent-key.ts';
import { isUsablePublicKey } from '../../../domain/ves/signature.ts';

/** A key as someone wants it registered (http-api 9.1): the right types, and nothing else checked. */
export interface AgentKeyRequest extends AgentKeyRef {
  readonly publicKey: string;
  readonly validFrom: string | null;
  readonly validTo: string | null;
  readonly keyAlgorithm: number;
  /** By name; null when there is no bundle. */
  readonly publicKeyBundle: ReadonlyMap<string, string> | null;
  readonly hasProofBundle: boolean;
}

const json = new JsonReader('jcs');
const fields = new FieldReader(json);
export const agentKeyNames = new FieldNames([
  'tenantId',
  'agentId',
  'keyId',
  'publicKey',
  'validFrom',
  'validTo',
  'keyAlgorithm',
  'publicKeyBundle',
  'proofOfPossessionBundle',
]);
export const publicKeyBundleNames = new FieldNames([
  'ed25519PublicKey',
  'mlDsa65PublicKey',
  'x25519PublicKey',
  'mlKem768PublicKey',
]);
const u32Max = 0xffff_ffffn;
const i32Min = -0x8000_0000n;
const i32Max = 0x7fff_ffffn;

/** @throws Refused for what is no JSON, or has a field missing or of the wrong type */
export function readAgentKeyRequest(body: Uint8Array): AgentKeyRequest {
  const found: {
    tenantId?: Uuid;
    agentId?: Uuid;
    keyId?: number;
    publicKey?: string;
    validFrom?: string;
    validTo?: string;
    keyAlgorithm?: number;
    publicKeyBundle?: Map<string, string>;
    hasProofBundle?: boolean;
  } = {};
  fields.open(body);
  const at = fields.object(agentKeyNames, (name) => {
    switch (name) {
      case 'tenantId':
      case 'agentId':
        found[name] = fields.uuid();
        break;
      case 'keyId':
        found.keyId = Number(fields.integer(u32Max));
        break;
      case 'publicKey':
        found.publicKey = fields.text();
        break;
      case 'validFrom':
      case 'validTo':
        if (!fields.isNull()) found[name] = fields.text();
        break;
      case 'keyAlgorithm':
        if (!fields.isNull()) found.keyAlgorithm = Number(fields.integer(i32Max, i32Min));
        break;
      case 'publicKeyBundle':
        if (!fields.isNull()) found.publicKeyBundle = readBundle();
        break;
      case 'proofOfPossessionBundle':
        if (!fields.isNull()) found.hasProofBundle = fields.document().length > 0;
    }
  });
  fields.finish();
  const { tenantId, agentId, keyId, publicKey } = found;
  if (tenantId === undefined) throw fields.missing(at, 'tenantId');
  if (agentId === undefined) throw fields.missing(at, 'agentId');
  if (keyId === undefined) throw fields.missing(at, 'keyId');
  if (publicKey === undefined) throw fields.missing(at, 'publicKey');
  return {
    tenantId,
    agentId,
    keyId,
    publicKey,
    validFrom: found.validFrom ?? null,
    validTo: found.validTo ?? null,
    keyAlgorithm: found.keyAlgorithm ?? 0,
    publicKeyBundle: found.publicKeyBundle ?? null,
    hasProofBundle: found.hasProofBundle ?? false,
  };
}

/**
 * The key to register.
 * @throws Refused for a key that can't be one of ours, with a sentence that says what is accepted
 */
export function checkAgentKeyRequest(request: AgentKeyRequest): NewAgentKey {
  const { tenantId, agentId, keyId, keyAlgorithm, publicKeyBundle, hasProofBundle } = request;
  if (keyAlgorithm !== 0 && keyAlgorithm !== 1) {
    const name = otherAlgorithms[keyAlgorithm] ?? 'which is none';
    throw wrong(`keyAlgorithm is ${keyAlgorithm} (${name}); accepted are 0 and 1, which both mean Ed25519`);
  }
  if (hasProofBundle) {
    throw wrong('proofOfPossessionBundle does not go with an Ed25519 key; leave it out');
  }
  const publicKey = publicKeyOf(request.publicKey, 'publicKey');
  for (const [name, text] of publicKeyBundle ?? []) {
    if (name !== 'ed25519PublicKey') {
      throw wrong(`publicKeyBundle.${name} does not go with an Ed25519 key; leave it out`);
    }
    if (!sameBytes(publicKeyOf(text, 'publicKeyBundle.ed25519PublicKey'), publicKey)) {
      throw wrong('publicKeyBundle.ed25519PublicKey is another key than publicKey');
    }
  }
  if (!isUsablePublicKey(publicKey)) {
    throw wrong(
      'publicKey is no Ed25519 public key: not a point of the curve, not written canonically, or of small order, so that anyone could sign for it',
    );
  }
  const validFrom = instantOf(request.validFrom, 'validFrom');
  const validTo = instantOf(request.validTo, 'validTo');
  if (validFrom !== null && validTo !== null && validTo < validFrom) {
    throw wrong('validTo lies before validFrom, so the key would never be valid');
  }
  return { tenantId, agentId, keyId, publicKey, algorithm: keyAlgorithm, validFrom, validTo };
}

const otherAlgorithms: Readonly<Record<number, string>> = {
  2: 'X25519',
  3: 'ML-DSA-65',
  4: 'ML-KEM-768',
  5: 'hybrid signing',
  6: 'hybrid KEM',
};

function readBundle(): Map<string, string> {
  const bundle = new Map<string, string>();
  fields.object(publicKeyBundleNames, (name) => {
    if (!fields.isNull()) bundle.set(name, fields.text());
  });
  return bundle;
}

function publicKeyOf(text: string, field: string): Uint8Array {
  const bytes = parseHex(text.replace(/^0x/, ''), 32);
  if (bytes === null) throw wrong(`${field} must be 64 hex digits, with or without 0x`);
  return bytes;
}

function instantOf(text: string | null, field: string): Micros | null {
  if (text === null) return null;
  const micros = parseTimestamp(text);
  if (micros === null) {
    throw wrong(`${field} must be an RFC 3339 timestamp such as 2025-12-20T18:31:22.123Z`);
  }
  return micros;
}

function wrong(sentence: string): Refused {
  return new Refused('INVALID_FIELD_VALUE', sentence);
}
