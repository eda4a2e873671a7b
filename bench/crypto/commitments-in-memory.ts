import { noStateRoot, vesStateRoot } from '../../domain/commitment.ts';
import { MerkleTree } from '../../domain/merkle/tree.ts';
import type { Hash, Sequence } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { newStream, randomLeaves } from './made-up.ts';
import { measureRepeated, type OperationFigures, type Span } from './measure.ts';

export interface CommitmentFigures extends OperationFigures {
  readonly events: number;
}

/** Other leaves each time, until all have had their turn. */
const ranges = 50;

/** The tree over given leaves and the state root that chains it to the one before, on one thread. */
export function measureInMemory(events: number, span: Span): CommitmentFigures {
  const stream = newStream('ves');
  const leaves = Array.from({ length: ranges }, () => randomLeaves(events));
  let previousStateRoot: Hash = noStateRoot;
  const { times: _, ...figures } = measureRepeated((turn) => {
    const { root } = new MerkleTree('ves', leaves[turn % ranges]!, nodeSha256);
    const sequenceStart = (turn * events + 1) as Sequence;
    const sequenceEnd = (sequenceStart + events - 1) as Sequence;
    const range = { sequenceStart, sequenceEnd, leafCount: events };
    previousStateRoot = vesStateRoot({ ...stream, ...range, previousStateRoot, root }, nodeSha256);
  }, span);
  return { events, ...figures };
}
