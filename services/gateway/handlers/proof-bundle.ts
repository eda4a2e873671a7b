import { joinBytes, toHex } from '../../../domain/bytes.ts';
import { InvariantBroken } from '../../../domain/errors.ts';
import { writeLegacyEvent } from '../../../domain/legacy/response.ts';
import { formatTimestamp } from '../../../domain/time.ts';
import {
  type Micros,
  type Sequence,
  sequenceMax,
  type StoreKey,
  type StreamKey,
  type Uuid,
  type World,
} from '../../../domain/types.ts';
import { bundleFormat, bundleFormatVersion } from '../../../domain/verify/read-bundle.ts';
import type { AgentKey } from '../../../domain/ves/agent-key.ts';
import { type VesResponseContext, writeVesEvent } from '../../../domain/ves/response.ts';
import type { AgentKeys } from '../../../storage/agent-keys.ts';
import type { StoredCommitment } from '../../../storage/commitment-log.ts';
import type { EventLog } from '../../../storage/event-log.ts';
import type { SequencerKeys } from '../../../storage/sequencer-keys.ts';
import { jsonTextReply, type Reply, textReply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { commitmentBodies, proofBody } from './commitment-body.ts';
import { type CommitmentHandlerDependencies, isOfStore, unknownCommitment } from './commitments.ts';
import { sequenceNumberOf } from './prove-events.ts';
import { permittedStore } from './reading.ts';

export interface ProofBundleDependencies extends VesResponseContext {
  readonly events: Pick<EventLog, 'readLegacy' | 'readVes'>;
  readonly commitments: Pick<CommitmentHandlerDependencies['commitments'], 'find' | 'findCovering' | 'prove'>;
  readonly agentKeys: Pick<AgentKeys, 'find'>;
  readonly sequencerKeys: Pick<SequencerKeys, 'list'>;
}

/**
 * Everything that someone who has never heard of this node needs to check one event, as one file: the event, its receipt,
 * the commitment, the path, and the public keys. Without `batch_id` the commitment is the one that the event is under.
 */
export function bundleProof(
  world: World,
  deps: ProofBundleDependencies,
): (request: ProtectedRequest) => Promise<Reply> {
  return async (request) => {
    const wanted = sequenceNumberOf(request);
    const query = request.query();
    const batchId = query.optionalUuid('batch_id');
    const stream = { ...permittedStore(query, request.principal, 'read'), world };
    const commitment = await commitmentOf(stream, wanted, batchId, deps);
    if (commitment === null || !isOfStore(commitment, stream)) {
      return batchId === null
        ? textReply(404, `event ${wanted} is not under a commitment`)
        : unknownCommitment(batchId);
    }
    const { sequenceStart: start, sequenceEnd: end } = commitment;
    if (wanted < BigInt(start) || wanted > BigInt(end)) {
      return textReply(400, `event ${wanted} is not in ${start}..${end}, which is what ${batchId} commits`);
    }
    const sequence = Number(wanted) as Sequence;
    const found = await readEvent(stream, sequence, deps);
    request.reserve(2 * found.text.length);
    const beside = {
      commitment: commitmentBodies[world].whole(commitment),
      proof: {
        ...proofBody(commitment, sequence, await deps.commitments.prove(commitment, sequence)),
        leaf_count: commitment.leafCount,
      },
      sequencer: await sequencerBody(deps, [commitment.signature?.keyVersion, found.receiptKeyVersion]),
      ...(found.agentKey !== null && { agent_key: agentKeyBody(found.agentKey) }),
    };
    const head = { format: bundleFormat, format_version: bundleFormatVersion, world };
    return jsonTextReply(
      joinBytes([`${JSON.stringify(head).slice(0, -1)},`, found.text, `,${JSON.stringify(beside).slice(1)}`]),
    );
  };
}

async function commitmentOf(
  stream: StreamKey,
  wanted: bigint,
  batchId: Uuid | null,
  { commitments }: ProofBundleDependencies,
): Promise<StoredCommitment | null> {
  if (batchId !== null) return commitments.find(stream.world, batchId);
  if (wanted < 1n || wanted > BigInt(sequenceMax)) return null;
  return commitments.findCovering(stream, Number(wanted) as Sequence);
}

interface FoundEvent {
  /** The members `event` and, in VES, `receipt`, without braces around them. */
  readonly text: Uint8Array;
  readonly agentKey: AgentKey | null;
  readonly receiptKeyVersion: number | undefined;
}

async function readEvent(
  { tenantId, storeId, world }: StreamKey,
  sequence: Sequence,
  deps: ProofBundleDependencies,
): Promise<FoundEvent> {
  const store: StoreKey = { tenantId, storeId };
  if (world === 'legacy') {
    const [event] = await deps.events.readLegacy(store, sequence, sequence);
    if (event === undefined) throw missing(store, sequence);
    const text = joinBytes(['"event":', writeLegacyEvent(event)]);
    return { text, agentKey: null, receiptKeyVersion: undefined };
  }
  const [event] = await deps.events.readVes(store, sequence, sequence);
  if (event === undefined) throw missing(store, sequence);
  const { sourceAgent: agentId, agentKeyId: keyId } = event;
  return {
    text: writeVesEvent(event, deps).subarray(1, -1),
    agentKey: await deps.agentKeys.find({ tenantId, agentId, keyId }),
    receiptKeyVersion: event.receiptSignature?.keyVersion,
  };
}

/** Of the sequencer's keys those that something in the bundle names. */
async function sequencerBody(
  { sequencerId, sequencerKeys }: ProofBundleDependencies,
  versions: readonly (number | undefined)[],
): Promise<object> {
  const keys = await sequencerKeys.list();
  return {
    sequencerId,
    keys: keys
      .filter(({ keyVersion }) => versions.includes(keyVersion))
      .map(({ keyVersion, publicKey }) => ({
        keyVersion,
        algorithm: 'ed25519',
        publicKey: toHex(publicKey),
      })),
  };
}

function agentKeyBody(key: AgentKey): object {
  return {
    tenantId: key.tenantId,
    agentId: key.agentId,
    keyId: key.keyId,
    keyAlgorithm: key.algorithm,
    publicKey: toHex(key.publicKey),
    validFrom: timeOf(key.validFrom),
    validTo: timeOf(key.validTo),
    revokedAt: timeOf(key.revokedAt),
  };
}

function timeOf(micros: Micros | null): string | null {
  return micros === null ? null : formatTimestamp(micros, 'Z');
}

function missing(store: StoreKey, sequence: Sequence): InvariantBroken {
  return new InvariantBroken(`event ${sequence} is committed and is not there`, { ...store, sequence });
}
