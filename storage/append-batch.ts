import { InvariantBroken } from '../domain/errors.ts';
import { type Heads, headAt, sequenceAfter, sequenceMax } from '../domain/types.ts';
import type { AppendBatch } from './event-log.ts';

/**
 * The heads of the batch's store once it is appended.
 * @throws InvariantBroken when its sequences do not follow the expected head one by one, or pass the last one
 */
export function headsAfter(batch: AppendBatch): Heads {
  const { claim, expectedHeads, legacy } = batch;
  const where = { tenantId: claim.tenantId, storeId: claim.storeId, expectedHead: expectedHeads.legacy };
  let head = expectedHeads.legacy;
  for (const { sequence } of legacy) {
    if (sequence !== sequenceAfter(head) || sequence > sequenceMax) {
      throw new InvariantBroken(`sequence ${sequence} can't follow head ${head}`, { ...where, sequence });
    }
    head = headAt(sequence);
  }
  return { legacy: head, ves: expectedHeads.ves };
}
