import { toHex } from '../../../domain/bytes.ts';
import { formatTimestamp } from '../../../domain/time.ts';
import type { Uuid } from '../../../domain/types.ts';
import type { SequencerKeys } from '../../../storage/sequencer-keys.ts';
import { jsonReply, type Reply } from '../reply.ts';

/** Who the sequencer is and every key it ever signed with, for everyone who holds a receipt to check. */
export function listSequencerKeys(
  sequencerId: Uuid,
  keys: Pick<SequencerKeys, 'list'>,
): () => Promise<Reply> {
  return async () => {
    const list = await keys.list();
    return jsonReply({
      sequencerId,
      keys: list.map(({ keyVersion, publicKey, nodeId, firstUsedAt, lastUsedAt }) => ({
        keyVersion,
        algorithm: 'ed25519',
        publicKey: toHex(publicKey),
        nodeId,
        firstUsedAt: formatTimestamp(firstUsedAt, 'Z'),
        lastUsedAt: formatTimestamp(lastUsedAt, 'Z'),
      })),
    });
  };
}
