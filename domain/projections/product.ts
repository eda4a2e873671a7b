import { given, optionalAmount, optionalObject, optionalText } from './fields.ts';
import type { Change, Projector } from './projector.ts';

const currencyDefault = 'USD';

/** What is sold. An update sets the fields that it names. */
export const product: Projector = {
  createdBy: 'product.created',
  create: (payload) => ({
    sku: optionalText(payload, 'sku'),
    name: optionalText(payload, 'name'),
    description: optionalText(payload, 'description'),
    price: optionalAmount(payload, 'price') ?? 0,
    currency: optionalText(payload, 'currency') ?? currencyDefault,
    active: true,
    attributes: optionalObject(payload, 'attributes') ?? {},
  }),
  changes: new Map<string, Change>([
    [
      'product.updated',
      (state, payload) => ({
        ...state,
        ...given(payload, {
          sku: optionalText,
          name: optionalText,
          description: optionalText,
          price: (of, name) => optionalAmount(of, name) ?? 0,
          currency: (of, name) => optionalText(of, name) ?? currencyDefault,
          attributes: (of, name) => optionalObject(of, name) ?? {},
        }),
      }),
    ],
    ['product.deactivated', (state) => ({ ...state, active: false })],
    ['product.activated', (state) => ({ ...state, active: true })],
  ]),
};
