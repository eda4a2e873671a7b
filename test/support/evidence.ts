import { ed25519 } from '@noble/curves/ed25519.js';
import { parseHex, toHex } from '../../domain/bytes.ts';
import { commitmentSigningHash } from '../../domain/commitment-signature.ts';
import { MerkleTree } from '../../domain/merkle/tree.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import type { Hash, LeafIndex, Sequence, World } from '../../domain/types.ts';
import { parseUuid } from '../../domain/uuid.ts';
import { vectors } from '../vectors/ves-v1.ts';

/** The published streams in the forms in which a sequencer hands them out: exports, bundles, keys. */

const seed = parseHex(vectors.keys.sequencer.seed, 32)!;
const { sequencer_id: sequencerId, key_version: keyVersion, public_key: publicKey } = vectors.keys.sequencer;

export const sequencerKeysAnswer = { sequencerId, keys: [{ keyVersion, publicKey }] };

/** What stands in a commitment beside what the vectors say. */
export interface CommitmentText extends Record<string, unknown> {
  readonly sequence_start: number;
  readonly sequence_end: number;
  readonly prev_state_root: string;
  readonly new_state_root: string;
}

export function streamOf(world: World): { tenantId: string; storeId: string; eventCount: number } {
  const stream = world === 'ves' ? vectors.ves_stream : vectors.legacy_stream;
  return { tenantId: stream.tenant_id, storeId: stream.store_id, eventCount: stream.events.length };
}

/** The commitments of a published stream, signed. */
export function commitmentTexts(world: World): CommitmentText[] {
  const { tenantId, storeId } = streamOf(world);
  const stream = world === 'ves' ? vectors.ves_stream : vectors.legacy_stream;
  return stream.commitments.map((vector, index) => {
    const { proofs: _proofs, entity_versions: _versions, ...fields } = { entity_versions: [], ...vector };
    return signedCommitment(world, {
      batch_id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      tenant_id: tenantId,
      store_id: storeId,
      ...fields,
      committed_at: '2026-01-31T12:00:00Z',
    });
  });
}

/** A commitment with the sequencer's signature over what it says now. */
export function signedCommitment<Text extends CommitmentText>(world: World, commitment: Text): Text {
  const { sequence_start, sequence_end, prev_state_root, new_state_root } = commitment;
  const hash = commitmentSigningHash(
    {
      world,
      tenantId: parseUuid(commitment.tenant_id as string)!,
      storeId: parseUuid(commitment.store_id as string)!,
      sequenceStart: sequence_start as Sequence,
      sequenceEnd: sequence_end as Sequence,
      root: hashOf((commitment.merkle_root ?? commitment.events_root) as string),
      previousStateRoot: hashOf(prev_state_root),
      stateRoot: hashOf(new_state_root),
    },
    portableSha256,
  );
  return {
    ...commitment,
    sequencer_id: sequencerId,
    sequencer_key_version: keyVersion,
    sequencer_signature: toHex(ed25519.sign(hash, seed)),
  };
}

/** An event of a published stream as reads return it, payload token by token. */
export function eventText(world: World, sequence: number): string {
  const vector = (world === 'ves' ? vectors.ves_stream : vectors.legacy_stream).events[sequence - 1]!;
  const plain =
    world === 'legacy' || (vector.event as { payload_kind?: number }).payload_kind === 0
      ? `,"payload":${vector.payload_json.replaceAll(/[\n\r]/g, ' ')}`
      : '';
  const event = `${JSON.stringify(vector.event).slice(0, -1)}${plain},"sequence_number":${sequence}}`;
  return world === 'ves' ? event : `{"envelope":${event},"sequenced_at":"2026-01-31T12:00:00Z"}`;
}

export function receiptText(sequence: number): string {
  const { event, receipt } = vectors.ves_stream.events[sequence - 1]!;
  return JSON.stringify({
    sequencerId,
    eventId: event.event_id,
    sequenceNumber: sequence,
    sequencedAt: '2026-01-31T12:00:00+00:00',
    receiptHash: receipt.receipt_hash,
    signatureAlg: 'ed25519',
    sequencerSignature: receipt.sequencer_signature,
    sequencerKeyVersion: keyVersion,
    receiptSignatureScheme: 1,
  });
}

/** The keys of the agents that signed the published stream. */
export function agentKeyTexts(): {
  tenant_id: string;
  agent_id: string;
  key_id: number;
  public_key: string;
}[] {
  const keys = new Map<string, ReturnType<typeof agentKeyTexts>[number]>();
  for (const { event, signed_by } of vectors.ves_stream.events) {
    const { tenant_id, source_agent_id: agent_id, agent_key_id: key_id } = event;
    const { public_key } = vectors.keys.ed25519.find(({ name }) => name === signed_by)!;
    keys.set(`${agent_id}/${key_id}`, { tenant_id, agent_id, key_id, public_key });
  }
  return [...keys.values()];
}

/** The lines of an export of a whole published stream. */
export function exportLines(world: World): string[] {
  const { tenantId, storeId, eventCount } = streamOf(world);
  const commitments = commitmentTexts(world);
  const sequences = Array.from({ length: eventCount }, (_, index) => index + 1);
  return [
    JSON.stringify({
      format: 'stateset-sequencer-export',
      format_version: 1,
      world,
      tenant_id: tenantId,
      store_id: storeId,
      from: 1,
      head: eventCount,
      exported_at: '2026-01-31T12:00:00Z',
      sequencer_id: sequencerId,
    }),
    JSON.stringify({ type: 'sequencer_key', key_version: keyVersion, public_key: publicKey }),
    ...commitments.map((commitment) => JSON.stringify({ type: 'commitment', ...commitment })),
    ...(world === 'ves' ? agentKeyTexts().map((key) => JSON.stringify({ type: 'agent_key', ...key })) : []),
    ...sequences.map((sequence) => {
      const receipt = world === 'ves' ? `,"receipt":${receiptText(sequence)}` : '';
      return `{"type":"event","sequence_number":${sequence},"event":${eventText(world, sequence)}${receipt}}`;
    }),
    JSON.stringify({ type: 'end', events: eventCount, commitments: commitments.length }),
  ];
}

/** The proof bundle of an event of a published stream. */
export function bundleText(world: World, sequence: number): string {
  const stream = world === 'ves' ? vectors.ves_stream : vectors.legacy_stream;
  const commitment = commitmentTexts(world).find(
    ({ sequence_start: start, sequence_end: end }) => sequence >= start && sequence <= end,
  )!;
  const { sequence_start: start, sequence_end: end } = commitment;
  const leaves = stream.events.slice(start - 1, end).map(({ leaf_hash }) => hashOf(leaf_hash));
  const tree = new MerkleTree(world, leaves, portableSha256);
  const proof = tree.prove((sequence - start) as LeafIndex);
  const agentKey = agentKeyTexts().find(({ agent_id, key_id }) => {
    const event = vectors.ves_stream.events[sequence - 1]!.event;
    return agent_id === event.source_agent_id && key_id === event.agent_key_id;
  });
  const beside = {
    commitment,
    proof: {
      sequence_number: sequence,
      batch_id: commitment.batch_id,
      [world === 'ves' ? 'merkle_root' : 'events_root']: toHex(tree.root),
      leaf_hash: toHex(proof.leafHash),
      leaf_index: proof.leafIndex,
      proof_path: proof.path.map(toHex),
      directions: proof.directions,
      ...(world === 'legacy' && { true_directions: proof.trueDirections }),
      leaf_count: leaves.length,
    },
    sequencer: sequencerKeysAnswer,
    ...(world === 'ves' && { agent_key: agentKey }),
  };
  const receipt = world === 'ves' ? `,"receipt":${receiptText(sequence)}` : '';
  const head = `{"format":"stateset-sequencer-proof","format_version":1,"event":${eventText(world, sequence)}`;
  return `${head}${receipt},${JSON.stringify(beside).slice(1)}`;
}

function hashOf(hex: string): Hash {
  return parseHex(hex, 32) as Hash;
}
