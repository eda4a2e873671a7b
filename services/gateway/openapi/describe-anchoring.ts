import { anchorNames } from '../handlers/commitment-request.ts';
import { commitmentsLimitMax } from '../handlers/commitments.ts';
import { pendingLimitMax } from '../handlers/anchor-commitments.ts';
import { optionalQuery, pathParameter, type RouteDescription } from './description.ts';
import { count, generatedId, limitQuery, sample, sequence, storeId, tenantId, time } from './samples.ts';
import {
  answer,
  flag,
  hex,
  list,
  nullable,
  nullYet,
  oneOf,
  optional,
  request,
  text,
  u32,
  u64,
} from './shape.ts';

const prefixed = hex(32, `0x${sample.hash}`, '0x');

export const describeAnchoring = {
  pending: {
    id: 'listPendingCommitments',
    tag: 'anchoring',
    summary: 'Lists the VES commitments of all tenants that are not anchored',
    who: 'bootstrap',
    parameters: [
      optionalQuery('after', 'The batch_id that the page before ended with', generatedId),
      limitQuery(commitmentsLimitMax, pendingLimitMax, 0),
    ],
    answer: {
      about: 'Oldest first',
      shape: answer({
        commitments: list(
          answer({
            batch_id: generatedId,
            tenant_id: tenantId,
            store_id: storeId,
            prev_state_root: hex(32, `0x${'0'.repeat(64)}`, '0x'),
            new_state_root: prefixed,
            events_root: prefixed,
            sequence_start: sequence,
            sequence_end: sequence,
            committed_at: time,
            event_count: count,
            chain_tx_hash: nullYet(prefixed),
          }),
        ),
        total: count,
      }),
    },
    needs: ['commitSignedRange'],
  },
  note: {
    id: 'noteAnchor',
    tag: 'anchoring',
    summary: 'Takes note of where a VES commitment was recorded on a chain, once',
    who: 'bootstrap',
    parameters: [
      pathParameter('batch_id', 'The commitment', generatedId, {
        operation: 'commitSignedRange',
        pointer: '/batch_id',
      }),
    ],
    body: request(anchorNames, {
      chain_tx_hash: hex(32, `0x${sample.hash}`, '(0x)?'),
      chain_id: u32(84_532),
      block_number: optional(u64(1)),
    }),
    answer: {
      about: 'Noted now, or the same was noted before',
      shape: answer({
        batch_id: generatedId,
        status: oneOf(['anchored', 'already_anchored']),
        chain_tx_hash: optional(prefixed),
        chain_id: optional(u32(84_532)),
        block_number: optional(nullable(u64(1))),
      }),
    },
    refusals: { 404: 'There is no such VES commitment', 409: 'It is anchored by another transaction' },
  },
  status: {
    id: 'readAnchorStatus',
    tag: 'anchoring',
    summary: 'Tells whether this node writes to a chain by itself: none does',
    who: 'read or admin',
    answer: { about: 'It does not', shape: answer({ anchor_enabled: flag(false), message: text('…') }) },
  },
} as const satisfies Record<string, RouteDescription>;
