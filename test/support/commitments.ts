import { legacyLeafHash } from '../../domain/legacy/hashes.ts';
import { readLegacyRequest } from '../../domain/legacy/read-request.ts';
import type { Sha256 } from '../../domain/sha256.ts';
import { parseTimestamp } from '../../domain/time.ts';
import type { Micros, Sequence, StoreKey, StreamKey, World } from '../../domain/types.ts';
import { eventSigningHash, vesLeafHash } from '../../domain/ves/hashes.ts';
import { readVesRequest } from '../../domain/ves/read-request.ts';
import { CommitmentReader } from '../../services/commitment/commitment-reader.ts';
import type { CommitmentSigner } from '../../services/commitment/commitment-signer.ts';
import { Committer } from '../../services/commitment/committer.ts';
import { nodeSha256, nodeSha256Stream } from '../../services/node-sha256.ts';
import { systemClock } from '../../services/system-clock.ts';
import type { CommitmentLog } from '../../storage/commitment-log.ts';
import type { AppendBatch, EventLog } from '../../storage/event-log.ts';
import { PostgresCommitmentLog } from '../../storage/postgres/postgres-commitment-log.ts';
import { vectors } from '../vectors/ves-v1.ts';
import { randomId } from './event-log.ts';
import { openTestLog, type OpenedLog } from './postgres-event-log.ts';

export { fillStream } from './fill-stream.ts';

export const worlds: readonly World[] = ['legacy', 'ves'];

/** What one node has that makes and reads commitments. */
export interface CommitmentNode extends OpenedLog {
  readonly commitments: CommitmentLog;
  readonly committer: Committer;
  readonly reader: CommitmentReader;
  /** The causes for which a commitment was not published. */
  readonly refusals: Error[];
}

export async function openCommitmentNode(
  url: string,
  {
    signer = null,
    cacheMax = 100,
    sha256 = nodeSha256,
  }: { signer?: CommitmentSigner | null; cacheMax?: number; sha256?: Sha256 } = {},
): Promise<CommitmentNode> {
  const opened = await openTestLog(url);
  const commitments = new PostgresCommitmentLog(opened.pool);
  const refusals: Error[] = [];
  const limits = {
    commitmentsMax: cacheMax,
    commitmentTtlMs: 60_000,
    proofsMax: cacheMax,
    proofTtlMs: 60_000,
  };
  return {
    ...opened,
    commitments,
    committer: new Committer({
      log: commitments,
      sha256,
      sha256Stream: nodeSha256Stream,
      signer,
      atOnceMax: 3,
      observer: {
        committed: () => undefined,
        refusedToPublish: (_stream, cause) => void refusals.push(cause),
      },
    }),
    reader: new CommitmentReader({
      log: commitments,
      sha256: nodeSha256,
      clock: systemClock,
      caches: { legacy: limits, ves: limits },
    }),
    refusals,
  };
}

export function newStream(world: World): StreamKey {
  return { tenantId: randomId(), storeId: randomId(), world };
}

export function wanted(start: number, end: number): { start: bigint; end: bigint } {
  return { start: BigInt(start), end: BigInt(end) };
}

/** The stream of the published vectors, of which `appendVectors` appends what is still missing up to a sequence. */
export function vectorStream(world: World): StreamKey {
  const { tenant_id, store_id } = world === 'ves' ? vectors.ves_stream : vectors.legacy_stream;
  return { tenantId: tenant_id as StoreKey['tenantId'], storeId: store_id as StoreKey['storeId'], world };
}

/** Appends events of the vectors as their bytes come in, hashed here, from after the stream's head to `to`. */
export async function appendVectors(log: EventLog, stream: StreamKey, to: number): Promise<void> {
  const claim = await log.claim(stream, 'test');
  const from = claim.heads[stream.world] + 1;
  const { legacy, ves } =
    stream.world === 'ves'
      ? { legacy: [], ves: vesVectors(stream, from, to) }
      : { legacy: legacyVectors(stream, from, to), ves: [] };
  const sequencedAt = 1_766_255_482_100_000n as Micros;
  const outcome = await log.append({ claim, expectedHeads: claim.heads, sequencedAt, legacy, ves });
  expect(outcome).toEqual({ kind: 'appended' });
}

function legacyVectors(stream: StreamKey, from: number, to: number): AppendBatch['legacy'] {
  return vectors.legacy_stream.events.slice(from - 1, to).map(({ event, payload_json }, index) => {
    const sequence = (from + index) as Sequence;
    const text = requestText({ agent_id: event.source_agent }, event, payload_json);
    const [read] = readLegacyRequest(Buffer.from(text), nodeSha256).events;
    const { payloadHash, entityType, entityId } = read!;
    const leafHash = legacyLeafHash(stream, sequence, payloadHash, entityType, entityId, nodeSha256);
    return { event: read!, sequence, requestId: randomId(), leafHash };
  });
}

function vesVectors(stream: StreamKey, from: number, to: number): AppendBatch['ves'] {
  return vectors.ves_stream.events.slice(from - 1, to).map(({ event, payload_json }, index) => {
    const sequence = (from + index) as Sequence;
    const text = requestText({ agentId: event.source_agent_id }, event, payload_json);
    const [read] = readVesRequest(Buffer.from(text), 'lenient', nodeSha256).events;
    const signingHash = eventSigningHash({ ...stream, ...read! }, nodeSha256);
    const leafHash = vesLeafHash({ ...stream, ...read! }, sequence, signingHash, nodeSha256);
    const createdAt = parseTimestamp(read!.createdAtText)!;
    const checked = { ...read!, createdAt, signingHash, fault: null };
    return { event: checked, sequence, requestId: randomId(), leafHash, receiptSignature: null };
  });
}

/** One request with one event, whose payload stands in it as published. */
function requestText(request: object, event: object, payload: string): string {
  const fields = JSON.stringify(event).slice(1, -1);
  return `${JSON.stringify(request).slice(0, -1)},"events":[{${fields},"payload":${payload}}]}`;
}
