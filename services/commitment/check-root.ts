import { sameBytes, toHex } from '../../domain/bytes.ts';
import { InvariantBroken } from '../../domain/errors.ts';
import { rootAbove } from '../../domain/merkle/root-above.ts';
import { treeDepth } from '../../domain/merkle/tree.ts';
import { portableSha256 } from '../../domain/sha256.ts';
import type { Hash, Sequence, StreamKey } from '../../domain/types.ts';
import type { SequenceRange, CommitmentTransaction } from '../../storage/commitment-log.ts';
import { leafPages, pageHeight } from './leaf-pages.ts';

/**
 * Works a root out a second way, before anyone sees it: Postgres makes each leaf anew from its event, the tree is built
 * level by level, and another implementation hashes it.
 * @throws InvariantBroken when a stored leaf is not its event's, or the root comes out differently
 */
export async function checkRoot(
  stream: StreamKey,
  range: SequenceRange,
  root: Hash,
  transaction: CommitmentTransaction,
): Promise<void> {
  const { world } = stream;
  const depth = treeDepth(range.end - range.start + 1);
  const pageLevels = Math.min(pageHeight, depth);
  const pageRoots: Hash[] = [];
  const readPage = async (from: Sequence, to: Sequence): Promise<Uint8Array> => {
    const { leaves, firstWrong } = await transaction.checkLeaves(from, to);
    if (firstWrong === null) return leaves;
    throw new InvariantBroken(`the stored leaf of event ${firstWrong} does not follow from the event`, {
      ...stream,
      ...range,
      sequence: firstWrong,
    });
  };
  for await (const leaves of leafPages(range, readPage)) {
    pageRoots.push(rootAbove(world, leaves, { height: 0, levels: pageLevels }, portableSha256));
  }
  const above = { height: pageLevels, levels: depth - pageLevels };
  const again = rootAbove(world, pageRoots, above, portableSha256);
  if (!sameBytes(root, again)) {
    throw new InvariantBroken(`the root over ${range.start}..${range.end} comes out in two ways`, {
      ...stream,
      ...range,
      root: toHex(root),
      again: toHex(again),
    });
  }
}
