import fc from 'fast-check';
import { findIncompatibility } from '../../domain/schema/compatibility.ts';
import { readSchema } from '../../domain/schema/read-schema.ts';
import { jsonValues as values, schemas } from '../support/schema-arbitrary.ts';
import { compileSchema } from '../../services/schemas/compile-schema.ts';

function fault(writer: unknown, reader: unknown): string | null {
  const found = findIncompatibility(readSchema(writer), readSchema(reader));
  return found && `${found.writerPointer}|${found.readerPointer}|${found.fault}`;
}

const order = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string' }, total: { type: 'integer', minimum: 1 } },
};
const closed = { ...order, additionalProperties: false };

describe('what can be shown to be compatible', () => {
  test.each<[string, unknown, unknown]>([
    ['the same', order, order],
    ['anything', order, true],
    ['nothing that was valid', false, order],
    ['a wider type', { type: 'integer' }, { type: ['number', 'null'] }],
    ['a lower minimum', { minimum: 5 }, { exclusiveMinimum: 4 }],
    ['a name that is no longer required', order, { ...order, required: [] }],
    [
      'an optional member that a closed object could not have',
      closed,
      { ...order, properties: { ...order.properties, note: { type: 'string' } } },
    ],
    ['more values', { enum: ['a', 'b'] }, { enum: ['c', 'b', 'a'] }],
    ['a value of an accepted type', { const: 3 }, { type: 'number' }],
    [
      'one of several alternatives',
      { type: 'string', maxLength: 3 },
      { anyOf: [{ type: 'null' }, { type: 'string' }] },
    ],
    ['every alternative', { anyOf: [{ type: 'null' }, { type: 'string' }] }, { type: ['string', 'null'] }],
    ['a reference to the same', { $ref: '#/$defs/a', $defs: { a: order } }, order],
    [
      'a tree in another spelling',
      { properties: { next: { $ref: '#' } }, required: ['next'] },
      { $ref: '#/$defs/n', $defs: { n: { properties: { next: { $ref: '#/$defs/n' } } } } },
    ],
    [
      'parts of a conjunction',
      { allOf: [{ minimum: 1 }, { type: 'integer' }] },
      { type: 'number', minimum: 0 },
    ],
    ['elements', { type: 'array', items: { type: 'integer' } }, { items: { type: 'number' } }],
    [
      'a tuple of an older draft',
      {
        $schema: 'http://json-schema.org/draft-07/schema#',
        items: [{ type: 'integer' }],
        additionalItems: false,
      },
      { prefixItems: [{ type: 'number' }] },
    ],
    [
      'names of what objects inherit',
      { dependentRequired: { valueOf: ['toString'], toString: ['a'] } },
      { dependentRequired: { valueOf: ['toString'], toString: ['a'] }, required: [] },
    ],
    ['an equal rest', { not: { type: 'null' }, minLength: 2 }, { not: { type: 'null' } }],
  ])('%s', (_what, writer, reader) => {
    expect(fault(writer, reader)).toBeNull();
  });
});

describe('what breaks, or can not be decided, is told with both places', () => {
  test.each<[unknown, unknown, string]>([
    [order, { ...order, required: ['id', 'total'] }, '|/required|may lack total, which is required'],
    [
      { type: ['string', 'null'] },
      { type: 'string' },
      '|/type|may be of the type null, which is not accepted',
    ],
    [order, closed, '|/additionalProperties|is accepted no more'],
    [
      order,
      { properties: { total: { type: 'string' } } },
      '/properties/total|/properties/total/type|may be of the type integer, which is not accepted',
    ],
    [
      { type: 'object' },
      { properties: { note: { type: 'string' } } },
      '|/properties/note/type|may be of the type null, boolean, object, array, number, integer, which is not accepted',
    ],
    [
      { pattern: '^a' },
      { pattern: '^a|b' },
      '|/pattern|can not be decided for pattern, unless both have the same',
    ],
    [
      { type: 'string' },
      { not: { type: 'null' } },
      '|/not|can not be decided for not, unless both have the same without references',
    ],
  ])('%j → %j', (writer, reader, told) => {
    expect(fault(writer, reader)).toBe(told);
  });
});

/** The same schema with one or two keywords taken out or put in: pairs that have a chance to be compatible. */
const pairs = fc.tuple(schemas, schemas, fc.nat(5)).map(([a, b, way]): [unknown, unknown] => {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return [a, b];
  const entries = Object.entries(a);
  if (way < 3) return [a, Object.fromEntries(entries.filter((_entry, index) => index % 3 !== way))];
  if (way === 3) return [{ ...b, ...a }, a];
  if (way === 4) return [{ allOf: [a, b] }, b];
  return [a, { anyOf: [b, a] }];
});

test('what is called compatible is: no value that the writer accepts is refused by the reader', () => {
  let compatible = 0;
  let accepted = 0;
  fc.assert(
    fc.property(pairs, fc.array(values, { minLength: 20, maxLength: 30 }), ([writer, reader], given) => {
      if (fault(writer, reader) !== null) return;
      compatible += 1;
      const [byWriter, byReader] = [compileSchema(writer), compileSchema(reader)];
      for (const value of given) {
        if (byWriter.errorsOf(value, 1_000).length > 0) continue;
        accepted += 1;
        expect({ value, errors: byReader.errorsOf(value, 1_000) }).toEqual({ value, errors: [] });
      }
    }),
    { numRuns: 1_000, interruptAfterTimeLimit: 20_000 },
  );
  expect(compatible).toBeGreaterThan(200);
  expect(accepted).toBeGreaterThan(2_000);
});
