import type { JsonObject } from './exact-json.ts';
import { checkI64, optionalI64, requiredI64 } from './fields.ts';
import type { Change, Projector } from './projector.ts';
import { EventRefused } from './refusal.ts';

/** What is not given when stock is first counted. */
const reorderPointDefault = 10n;
const locationDefault = 'default';

/**
 * The stock of a product at a location, which the entity id names as `product:location`. All counts are integers of 64 bits,
 * and none of them wraps.
 */
export const inventory: Projector = {
  createdBy: 'inventory.initialized',
  create(payload, entityId) {
    const colon = entityId.indexOf(':');
    const onHand = optionalI64(payload, 'quantity') ?? optionalI64(payload, 'on_hand') ?? 0n;
    const location = colon === -1 ? '' : entityId.slice(colon + 1);
    return {
      product_id: colon === -1 ? entityId : entityId.slice(0, colon),
      location: location === '' ? locationDefault : location,
      ...stock(notNegative(onHand, 'quantity'), 0n),
      reorder_point: optionalI64(payload, 'reorder_point') ?? reorderPointDefault,
    };
  },
  changes: new Map<string, Change>([
    [
      'inventory.adjusted',
      (state, payload) => {
        const { onHand, reserved } = stockOf(state);
        const adjusted = checkI64(onHand + requiredI64(payload, 'delta', 'adjustment'), 'on_hand');
        return { ...state, ...stock(notNegative(adjusted, 'on_hand'), reserved) };
      },
    ],
    [
      'inventory.reserved',
      (state, payload) => {
        const { onHand, reserved } = stockOf(state);
        const quantity = quantityOf(payload);
        if (quantity > onHand - reserved) {
          throw new EventRefused(
            'invariant_violation',
            `${quantity.toString()} can't be reserved: ${(onHand - reserved).toString()} are available`,
          );
        }
        return { ...state, ...stock(onHand, checkI64(reserved + quantity, 'reserved')) };
      },
    ],
    [
      'inventory.released',
      (state, payload) => {
        const { onHand, reserved } = stockOf(state);
        return { ...state, ...stock(onHand, floored(reserved - quantityOf(payload))) };
      },
    ],
    [
      'inventory.fulfilled',
      (state, payload) => {
        const { onHand, reserved } = stockOf(state);
        const quantity = quantityOf(payload);
        return {
          ...state,
          ...stock(notNegative(onHand - quantity, 'on_hand'), floored(reserved - quantity)),
        };
      },
    ],
  ]),
};

function stock(onHand: bigint, reserved: bigint): JsonObject {
  return { on_hand: onHand, reserved, available: onHand - reserved };
}

function stockOf(state: JsonObject): { onHand: bigint; reserved: bigint } {
  return { onHand: requiredI64(state, 'on_hand'), reserved: requiredI64(state, 'reserved') };
}

function quantityOf(payload: JsonObject): bigint {
  return notNegative(requiredI64(payload, 'quantity'), 'quantity');
}

function notNegative(value: bigint, name: string): bigint {
  if (value >= 0n) return value;
  throw new EventRefused('invariant_violation', `${name} would be ${value.toString()}; it is never negative`);
}

function floored(value: bigint): bigint {
  return value < 0n ? 0n : value;
}
