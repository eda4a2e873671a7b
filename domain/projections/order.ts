import { list, optionalAmount, optionalObject, optionalText, requiredText } from './fields.ts';
import { type Change, move, type Projector } from './projector.ts';

/** An order goes one step at a time, and can be cancelled until it is delivered. */
export const order: Projector = {
  createdBy: 'order.created',
  create: (payload) => ({
    customer_id: requiredText(payload, 'customer_id'),
    status: 'pending',
    total_amount: optionalAmount(payload, 'total_amount') ?? 0,
    currency: optionalText(payload, 'currency') ?? 'USD',
    line_items: list(payload, 'line_items', 'items'),
    shipping_address: optionalObject(payload, 'shipping_address'),
  }),
  changes: new Map<string, Change>([
    ['order.confirmed', (state) => move(state, ['pending'], 'confirmed')],
    ['order.processing', (state) => move(state, ['confirmed'], 'processing')],
    ['order.shipped', (state) => move(state, ['processing'], 'shipped')],
    ['order.delivered', (state) => move(state, ['shipped'], 'delivered')],
    [
      'order.cancelled',
      (state) => move(state, ['pending', 'confirmed', 'processing', 'shipped'], 'cancelled'),
    ],
  ]),
};
