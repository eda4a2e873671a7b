import { isBootstrapAdmin } from '../../../domain/access.ts';
import { parseHex, sameBytes, toHex } from '../../../domain/bytes.ts';
import { Refused } from '../../../domain/errors.ts';
import type { Hash } from '../../../domain/types.ts';
import { jsonReply, type Reply, textReply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { pendingBody } from './commitment-body.ts';
import { readAnchorRequest } from './commitment-request.ts';
import {
  batchIdOf,
  type CommitmentHandlerDependencies,
  pageOf,
  unknownAfter,
  unknownCommitment,
} from './commitments.ts';
import { permitReadOrAdmin } from './reading.ts';

type Handler = (request: ProtectedRequest) => Promise<Reply>;
type Dependencies = Pick<CommitmentHandlerDependencies, 'commitments'>;

export const pendingLimitMax = 5_000;
const u32Max = 2n ** 32n - 1n;

/** Which VES commitments, of all tenants, wait to be recorded on a chain. */
export function listPendingCommitments({ commitments }: Dependencies): Handler {
  return async (request) => {
    permitBootstrapAdmin(request);
    const page = pageOf(request.query(), pendingLimitMax);
    if (page.after !== null && (await commitments.findFrozen('ves', page.after)) === null) {
      throw unknownAfter(page.after);
    }
    const found = await commitments.listPending('ves', page);
    return jsonReply({ commitments: found.map(pendingBody), total: found.length });
  };
}

/** Takes note of where a VES commitment was recorded, once. */
export function noteAnchor({ commitments }: Dependencies): Handler {
  return async (request) => {
    permitBootstrapAdmin(request);
    const batchId = batchIdOf(request);
    const { txHashText, chainId, blockNumber } = readAnchorRequest(await request.readBody());
    if ((await commitments.findFrozen('ves', batchId)) === null) return unknownCommitment(batchId);
    if (chainId > u32Max) throw refused(`chain_id is ${chainId}; it takes at most ${u32Max}`);
    const txHash = parseHex(txHashText.replace(/^0x/i, ''), 32);
    if (txHash === null) throw refused('chain_tx_hash must be 64 hex digits, with or without 0x');
    const anchor = { txHash: txHash as Hash, chainId: Number(chainId), blockNumber };
    const outcome = await commitments.recordAnchor('ves', batchId, anchor);
    switch (outcome.kind) {
      case 'unknown commitment':
        return unknownCommitment(batchId);
      case 'already anchored':
        return sameBytes(outcome.txHash, txHash)
          ? jsonReply({ batch_id: batchId, status: 'already_anchored' })
          : textReply(409, `the commitment ${batchId} is anchored already, by 0x${toHex(outcome.txHash)}`);
      case 'anchored':
        return jsonReply({
          batch_id: batchId,
          status: 'anchored',
          chain_tx_hash: `0x${toHex(txHash)}`,
          chain_id: anchor.chainId,
          block_number: blockNumber,
        });
    }
  };
}

/** Whether this node records commitments on a chain by itself. None does: who anchors asks for what is pending. */
export function readAnchorStatus(): (request: ProtectedRequest) => Reply {
  return ({ principal }) => {
    permitReadOrAdmin(principal);
    return jsonReply({
      anchor_enabled: false,
      message: 'this node submits nothing to a chain; an anchoring service reads /v1/commitments/pending',
    });
  };
}

function permitBootstrapAdmin({ principal }: ProtectedRequest): void {
  if (!isBootstrapAdmin(principal)) {
    throw new Refused('INSUFFICIENT_PERMISSIONS', 'only the bootstrap administrator may do this');
  }
}

function refused(sentence: string): Refused {
  return new Refused('INVALID_FIELD_VALUE', sentence);
}
