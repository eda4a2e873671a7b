import { parseHex } from '../../../domain/bytes.ts';
import type { WantedRange } from '../../../domain/commitment-range.ts';
import { Refused } from '../../../domain/errors.ts';
import { FieldNames } from '../../../domain/json/field-names.ts';
import { FieldReader } from '../../../domain/json/fields.ts';
import { JsonReader } from '../../../domain/json/reader.ts';
import type { InclusionClaim } from '../../../domain/merkle/inclusion-proof.ts';
import { type Hash, sequenceMax, type StoreKey, type Uuid, type World } from '../../../domain/types.ts';

/** What a caller wants committed. */
export interface CommitmentRequest extends StoreKey {
  readonly range: WantedRange;
}

/** A claim to verify, with what the answer repeats of it. */
export interface VerifyRequest {
  readonly claim: InclusionClaim;
  /** How many leaves the tree has, where the caller knows. */
  readonly leafCount: bigint | null;
  readonly leafHashText: string;
  readonly rootText: string;
}

/** An anchor as it was reported, with its values still unchecked. */
export interface AnchorRequest {
  readonly txHashText: string;
  readonly chainId: bigint;
  readonly blockNumber: number | null;
}

/** What a root is called on the wire. */
export const rootNames = { legacy: 'events_root', ves: 'merkle_root' } as const;

const json = new JsonReader('legacy');
const fields = new FieldReader(json);
const u64Max = 2n ** 64n - 1n;
export const pathLengthMax = 64;

export const commitmentNames = new FieldNames(['tenant_id', 'store_id', 'sequence_start', 'sequence_end']);

/** @throws Refused for what is no JSON, or has a field missing or of the wrong type */
export function readCommitmentRequest(body: Uint8Array): CommitmentRequest {
  const found: { tenantId?: Uuid; storeId?: Uuid; start?: bigint; end?: bigint } = {};
  const at = readObject(body, commitmentNames, (name) => {
    if (name === 'tenant_id') found.tenantId = fields.uuid();
    else if (name === 'store_id') found.storeId = fields.uuid();
    else if (name === 'sequence_start') found.start = fields.integer(u64Max);
    else found.end = fields.integer(u64Max);
  });
  return {
    tenantId: required(found.tenantId, at, 'tenant_id'),
    storeId: required(found.storeId, at, 'store_id'),
    range: {
      start: required(found.start, at, 'sequence_start'),
      end: required(found.end, at, 'sequence_end'),
    },
  };
}

export const verifyNames = {
  legacy: new FieldNames(['leaf_hash', 'events_root', 'proof_path', 'leaf_index', 'leaf_count']),
  ves: new FieldNames(['leaf_hash', 'merkle_root', 'proof_path', 'leaf_index', 'leaf_count']),
} as const;

/** @throws Refused as above, and for a hash that is none or a path that is too long */
export function readVerifyRequest(world: World, body: Uint8Array): VerifyRequest {
  const found: { leaf?: string; root?: string; path?: string[]; index?: bigint; count?: bigint } = {};
  const names: FieldNames<string> = verifyNames[world];
  const at = readObject(body, names, (name) => {
    if (name === 'leaf_hash') found.leaf = fields.text();
    else if (name === 'leaf_index') found.index = fields.integer(u64Max);
    else if (name === 'proof_path') {
      const path: string[] = (found.path = []);
      fields.array(() => path.push(fields.text()));
    } else if (name === 'leaf_count') {
      if (!fields.isNull()) found.count = fields.integer(u64Max);
    } else found.root = fields.text();
  });
  const leafHashText = required(found.leaf, at, 'leaf_hash');
  const rootText = required(found.root, at, rootNames[world]);
  const path = required(found.path, at, 'proof_path');
  const leafIndex = required(found.index, at, 'leaf_index');
  if (path.length > pathLengthMax) {
    throw refused(`proof_path has ${path.length} hashes; at most ${pathLengthMax} are accepted`);
  }
  return {
    claim: {
      leafHash: hashOf('leaf_hash', leafHashText),
      root: hashOf(rootNames[world], rootText),
      path: path.map((text, index) => hashOf(`proof_path[${index}]`, text)),
      leafIndex,
    },
    leafCount: found.count ?? null,
    leafHashText,
    rootText,
  };
}

export const anchorNames = new FieldNames(['chain_tx_hash', 'chain_id', 'block_number']);

/** @throws Refused for what is no JSON, or has a field missing or of the wrong type */
export function readAnchorRequest(body: Uint8Array): AnchorRequest {
  const found: { txHash?: string; chainId?: bigint; blockNumber?: bigint } = {};
  const at = readObject(body, anchorNames, (name) => {
    if (name === 'chain_tx_hash') found.txHash = fields.text();
    else if (name === 'chain_id') found.chainId = fields.integer(u64Max);
    else if (!fields.isNull()) found.blockNumber = fields.integer(BigInt(sequenceMax));
  });
  return {
    txHashText: required(found.txHash, at, 'chain_tx_hash'),
    chainId: required(found.chainId, at, 'chain_id'),
    blockNumber: found.blockNumber === undefined ? null : Number(found.blockNumber),
  };
}

/** @throws Refused unless the text is 64 hex digits, in either case */
export function hashOf(field: string, text: string): Hash {
  const bytes = parseHex(text, 32);
  if (bytes === null) throw refused(`${field} must be 64 hex digits without 0x`);
  return bytes as Hash;
}

function readObject<Name extends string>(
  body: Uint8Array,
  names: FieldNames<Name>,
  take: (name: Name) => void,
): number {
  fields.open(body);
  const at = fields.object(names, take);
  fields.finish();
  return at;
}

function required<Value>(value: Value | undefined, objectAt: number, name: string): Value {
  if (value === undefined) throw fields.missing(objectAt, name);
  return value;
}

function refused(sentence: string): Refused {
  return new Refused('INVALID_FIELD_VALUE', sentence);
}
