import { list, optionalAmount, optionalText, requiredText } from './fields.ts';
import { type Change, move, type Projector } from './projector.ts';

/** What comes back. Money may be refunded and the return completed whatever its status. */
export const returned: Projector = {
  createdBy: 'return.requested',
  create: (payload) => ({
    order_id: requiredText(payload, 'order_id'),
    customer_id: requiredText(payload, 'customer_id'),
    status: 'requested',
    reason: optionalText(payload, 'reason'),
    items: list(payload, 'items'),
    refund_amount: optionalAmount(payload, 'refund_amount'),
  }),
  changes: new Map<string, Change>([
    ['return.approved', (state) => move(state, ['requested'], 'approved')],
    ['return.received', (state) => move(state, ['approved'], 'received')],
    [
      'return.refunded',
      (state, payload) => ({
        ...state,
        status: 'refunded',
        refund_amount: optionalAmount(payload, 'refund_amount', 'amount') ?? state.refund_amount ?? null,
      }),
    ],
    ['return.completed', (state) => ({ ...state, status: 'completed' })],
  ]),
};
