import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { parentPort, workerData } from 'node:worker_threads';
import { verifyInclusion } from '../../domain/merkle/inclusion-proof.ts';
import { MerkleTree } from '../../domain/merkle/tree.ts';
import type { LeafIndex } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { randomLeaves } from './made-up.ts';
import { measureRepeated } from './measure.ts';
import type { ThreadFigures, VerificationPlan } from './proof-verification.ts';

const proofCount = 4_096;

const { depth, warmUpMs, measureMs } = workerData as VerificationPlan;
const leafCount = 2 ** depth;
const tree = new MerkleTree('ves', randomLeaves(leafCount), nodeSha256);
const { root } = tree;
const claims = Array.from({ length: proofCount }, () => {
  const proof = tree.prove(Math.floor(Math.random() * leafCount) as LeafIndex);
  return { leafHash: proof.leafHash, leafIndex: proof.leafIndex, path: proof.path, root };
});
const verifyOne = (turn: number): void => {
  if (!verifyInclusion('ves', claims[turn % proofCount]!, leafCount, nodeSha256)) {
    throw new Error('a good proof did not verify');
  }
};
// Here rather than after the start: threads that warm up would disturb those that are measured.
measureRepeated(verifyOne, { warmUpMs, measureMs: 1 });

parentPort?.once('message', () => {
  const { perSecond, times } = measureRepeated(verifyOne, { warmUpMs: 0, measureMs });
  const figures: ThreadFigures = { perSecond, times: encodeIntoCompressedBase64(times) };
  parentPort?.postMessage(figures);
});
parentPort?.postMessage('ready');
