import { sameBytes, toHex } from '../../domain/bytes.ts';
import { commitmentSigningHash } from '../../domain/commitment-signature.ts';
import { noStateRoot, vesStateRoot } from '../../domain/commitment.ts';
import { GrowingTree } from '../../domain/merkle/growing-tree.ts';
import { storedNodeCount } from '../../domain/merkle/node-order.ts';
import type { Hash, Sequence } from '../../domain/types.ts';
import type { Cryptography } from '../../domain/verify/verify.ts';
import { nodesPerChunk, type StoredCommitment } from '../../storage/commitment-log.ts';
import type { LogScan, ScannedCommitment } from '../../storage/postgres/log-scan.ts';
import type { Fault } from './finding.ts';
import { flips } from './flipped-bit.ts';
import type { KeyCache } from './key-cache.ts';
import { StoredNodes } from './stored-nodes.ts';
import { type OnProgress, type ScanOutcome, ScanRecord, type ScanTask } from './scan-task.ts';

type CommitmentsTask = Extract<ScanTask, { readonly kind: 'commitments' }>;
interface Tools {
  readonly scan: LogScan;
  readonly keys: KeyCache;
  readonly cryptography: Cryptography;
}

const commitmentsAtOnce = 500;
/** 128 KiB of hashes. */
const leavesAtOnce = 4_096;

/**
 * Checks the chain of a stream's commitments: that each follows the one before, that its root is the one over the stored
 * leaves, that the stored nodes of its tree are those of that tree, and the sequencer's signature.
 */
export async function checkCommitments(
  task: CommitmentsTask,
  tools: Tools,
  onProgress: OnProgress,
): Promise<ScanOutcome> {
  const { store, world } = task;
  const { tenantId, storeId } = store;
  const record = new ScanRecord();
  let previous: StoredCommitment | null = null;
  for (;;) {
    const page: ScannedCommitment[] = await tools.scan.commitments(store.storeNumber, world, {
      after: previous?.sequenceEnd ?? 0,
      limit: commitmentsAtOnce,
    });
    for (const scanned of page) {
      const { commitment } = scanned;
      record.commitments++;
      const judged = await judge(scanned, previous, task, tools, onProgress);
      for (const fault of judged.faults) {
        record.add({ tenantId, storeId, world, sequence: commitment.sequenceStart, ...fault });
      }
      previous = judged.repaired;
    }
    if (page.length < commitmentsAtOnce) return record.outcome();
  }
}

interface Judged {
  readonly faults: readonly Fault[];
  /** The commitment as it should be, as far as that follows; so that the next one is not blamed for it. */
  readonly repaired: StoredCommitment;
}

async function judge(
  { commitment, previousEnd }: ScannedCommitment,
  previous: StoredCommitment | null,
  { store, head }: CommitmentsTask,
  tools: Tools,
  onProgress: OnProgress,
): Promise<Judged> {
  const { world, sequenceStart, sequenceEnd, batchId } = commitment;
  const { sha256 } = tools.cryptography;
  const end = previous?.sequenceEnd ?? null;
  if (end !== null && sequenceStart !== end + 1) {
    const detail = `the commitment before ${batchId} ends at ${end}`;
    return { faults: [fault('sequence_start', end + 1, sequenceStart, detail)], repaired: commitment };
  }
  if (sequenceEnd > head) {
    const detail = `the commitment ${batchId} goes on behind the last event`;
    return { faults: [fault('sequence_end', `at most ${head}`, sequenceEnd, detail)], repaired: commitment };
  }
  const faults: Fault[] = [];
  if (previousEnd !== end) {
    faults.push(fault('previous_end', end ?? 'null', previousEnd ?? 'null', `of the commitment ${batchId}`));
  }
  const previousStateRoot = previous?.stateRoot ?? noStateRoot;
  if (!sameBytes(commitment.previousStateRoot, previousStateRoot)) {
    const detail = 'it is the state_root of the commitment before';
    faults.push(hashFault('previous_state_root', previousStateRoot, commitment.previousStateRoot, detail));
  }

  const linked = { ...commitment, previousStateRoot };
  const tree = await rebuildTree(commitment, store.storeNumber, tools.scan, tools.cryptography, onProgress);
  const isRootDifferent = tree.root !== null && !sameBytes(tree.root, commitment.root);
  const isRootVouchedFor =
    isRootDifferent &&
    ((world === 'ves' && sameBytes(vesStateRoot(linked, sha256), commitment.stateRoot)) ||
      (await isSigned(linked, tools)));
  if (isRootVouchedFor) {
    const detail = `the leaves ${sequenceStart}..${sequenceEnd} are not those that were committed`;
    const roots = { expected: `root ${toHex(commitment.root)}`, found: `root ${toHex(tree.root)}` };
    faults.push({ column: `${world}_events.leaf_hash`, ...roots, detail, until: sequenceEnd });
  } else {
    faults.push(...tree.nodeFaults);
  }
  const rooted = { ...linked, root: isRootDifferent && !isRootVouchedFor ? tree.root : commitment.root };
  if (rooted.root !== commitment.root) {
    faults.push(
      hashFault('root', rooted.root, commitment.root, `from the leaves ${sequenceStart}..${sequenceEnd}`),
    );
  }

  const stateRoot = world === 'ves' ? vesStateRoot(rooted, sha256) : commitment.stateRoot;
  if (!sameBytes(stateRoot, commitment.stateRoot)) {
    const detail = 'from the range, the root and the previous state root';
    faults.push(hashFault('state_root', stateRoot, commitment.stateRoot, detail));
  }
  const signed = await judgeSignature(commitment, { ...rooted, stateRoot }, tools);
  return { faults: [...faults, ...signed.faults], repaired: signed.repaired };
}

interface Rebuilt {
  /** Null when leaves are missing, which is told of the events. */
  readonly root: Hash | null;
  readonly nodeFaults: readonly Fault[];
}

async function rebuildTree(
  commitment: StoredCommitment,
  storeNumber: number,
  scan: LogScan,
  { sha256 }: Cryptography,
  onProgress: OnProgress,
): Promise<Rebuilt> {
  const { world, sequenceStart, sequenceEnd, batchId, leafCount } = commitment;
  const stored = new StoredNodes(batchId, scan);
  const tree = new GrowingTree(world, sha256, (node) => stored.expect(node));
  for (let from = sequenceStart; from <= sequenceEnd;) {
    const to = Math.min(sequenceEnd, from + leavesAtOnce - 1) as Sequence;
    const leaves = await scan.leaves({ ...commitment, storeNumber }, from, to);
    if (leaves.length !== (to - from + 1) * 32) return { root: null, nodeFaults: [] };
    for (let at = 0; at < leaves.length; at += 32) tree.add(leaves.subarray(at, at + 32) as Hash);
    await stored.compare();
    onProgress(to - from + 1);
    from = (to + 1) as Sequence;
  }
  const root = tree.finish();
  const chunks = Math.ceil(storedNodeCount(leafCount) / nodesPerChunk);
  return { root, nodeFaults: await stored.finish(chunks) };
}

/** @param repaired with what the chain and the leaves say in place of what differs from that */
async function judgeSignature(
  stored: StoredCommitment,
  repaired: StoredCommitment,
  { keys, cryptography }: Tools,
): Promise<Judged> {
  const { signature, batchId } = stored;
  if (signature === null) return { faults: [], repaired };
  const detail = `of the commitment ${batchId}`;
  const sequencerId = await keys.sequencerId();
  if (sequencerId !== signature.sequencerId) {
    return {
      faults: [fault('sequencer_id', sequencerId ?? 'none', signature.sequencerId, detail)],
      repaired,
    };
  }
  const key = await keys.sequencerKey(signature.keyVersion);
  if (key === null) {
    const expected = 'a version in sequencer_keys';
    return { faults: [fault('sequencer_key_version', expected, signature.keyVersion, detail)], repaired };
  }
  if (holdsOver(repaired, signature.signature, key, cryptography)) return { faults: [], repaired };
  if (stored.world === 'legacy') {
    // Nothing else vouches for a legacy state root.
    for (const bytes of flips(stored.stateRoot)) {
      const candidate = { ...repaired, stateRoot: bytes as Hash };
      if (!holdsOver(candidate, signature.signature, key, cryptography)) continue;
      const why = 'one flipped bit explains the signature';
      return {
        faults: [hashFault('state_root', candidate.stateRoot, stored.stateRoot, why)],
        repaired: candidate,
      };
    }
  }
  const expected = `a signature by version ${signature.keyVersion} of the sequencer's key`;
  return { faults: [fault('sequencer_signature', expected, toHex(signature.signature), detail)], repaired };
}

async function isSigned(commitment: StoredCommitment, { keys, cryptography }: Tools): Promise<boolean> {
  const { signature } = commitment;
  const key = signature === null ? null : await keys.sequencerKey(signature.keyVersion);
  return signature !== null && key !== null && holdsOver(commitment, signature.signature, key, cryptography);
}

function holdsOver(
  commitment: StoredCommitment,
  signature: Uint8Array,
  key: Uint8Array,
  { sha256, verifyEd25519 }: Cryptography,
): boolean {
  return verifyEd25519(signature, commitmentSigningHash(commitment, sha256), key);
}

function fault(column: string, expected: string | number, found: string | number, detail: string): Fault {
  return { column: `commitments.${column}`, expected: String(expected), found: String(found), detail };
}

function hashFault(column: string, expected: Hash, found: Hash, detail: string): Fault {
  return fault(column, toHex(expected), toHex(found), detail);
}
