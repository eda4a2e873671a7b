import { given, list, optionalObject, optionalText, requiredText } from './fields.ts';
import type { Change, Projector } from './projector.ts';
import { EventRefused } from './refusal.ts';

/** More is no customer but a flood: a state must stay small enough to be read with each event. */
const addressesMax = 100;

/** Who buys. An update sets the fields that it names. */
export const customer: Projector = {
  createdBy: 'customer.created',
  create: (payload) => ({
    email: requiredText(payload, 'email'),
    name: optionalText(payload, 'name'),
    phone: optionalText(payload, 'phone'),
    addresses: bounded(list(payload, 'addresses')),
    metadata: optionalObject(payload, 'metadata') ?? {},
    active: true,
  }),
  changes: new Map<string, Change>([
    [
      'customer.updated',
      (state, payload) => ({
        ...state,
        ...given(payload, {
          email: requiredText,
          name: optionalText,
          phone: optionalText,
          metadata: (of, name) => optionalObject(of, name) ?? {},
        }),
      }),
    ],
    [
      'customer.address_added',
      (state, payload) => {
        const address = optionalObject(payload, 'address') ?? payload;
        return { ...state, addresses: bounded([...list(state, 'addresses'), address]) };
      },
    ],
  ]),
};

function bounded<Item>(addresses: readonly Item[]): readonly Item[] {
  if (addresses.length <= addressesMax) return addresses;
  throw new EventRefused('invariant_violation', `a customer has at most ${addressesMax} addresses`);
}
