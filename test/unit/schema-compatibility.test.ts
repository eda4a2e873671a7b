import fc from 'fast-check';
import { findIncompatibility } from '../../domain/schema/compatibility.ts';
import { readSchema } from '../../domain/schema/read-schema.ts';
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

const scalar = fc.constantFrom(null, true, 0, 1, 2, 3.5, -1, '', 'a', 'ab', 'abc');
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
  ),
})).value;
/** An object with one of the members. */
function oneKeyword(keywords: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> {
  return fc.oneof(
    ...Object.entries(keywords).map(([keyword, held]) => held.map((value) => ({ [keyword]: value }))),
  );
}

const schemas = fc.letrec<{ schema: unknown }>((tie) => {
  const schema = tie('schema');
  const name = fc.constantFrom('a', 'b', 'c');
  return {
    schema: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.boolean(),
      // Few keywords, or there is no value that they all accept.
      fc
        .array(
          oneKeyword({
            type: fc.constantFrom(
              'string',
              'integer',
              'number',
              'object',
              'array',
              ['string', 'null'],
              ['object', 'integer'],
            ),
            minimum: fc.integer({ min: -1, max: 3 }),
            exclusiveMaximum: fc.integer({ min: 0, max: 4 }),
            multipleOf: fc.constantFrom(1, 2, 4, 0.5),
            minLength: fc.nat(3),
            maxLength: fc.nat(3),
            enum: fc.array(scalar, { maxLength: 4 }),
            const: scalar,
            required: fc.uniqueArray(name, { maxLength: 2 }),
            properties: fc.dictionary(name, schema, { maxKeys: 2 }),
            patternProperties: fc.dictionary(fc.constantFrom('^a', '[bc]'), schema, { maxKeys: 1 }),
            additionalProperties: schema,
            propertyNames: fc.constantFrom({ enum: ['a', 'b'] }, { maxLength: 0 }),
            minProperties: fc.nat(2),
            items: schema,
            prefixItems: fc.array(schema, { minLength: 1, maxLength: 2 }),
            maxItems: fc.nat(2),
            uniqueItems: fc.boolean(),
            contains: schema,
            allOf: fc.array(schema, { minLength: 1, maxLength: 2 }),
            anyOf: fc.array(schema, { minLength: 1, maxLength: 2 }),
            oneOf: fc.array(schema, { minLength: 1, maxLength: 2 }),
            not: schema,
            if: schema,
            then: schema,
            dependentRequired: fc.dictionary(name, fc.uniqueArray(name, { maxLength: 1 }), { maxKeys: 1 }),
            dependentSchemas: fc.dictionary(name, schema, { maxKeys: 1 }),
            unevaluatedProperties: schema,
          }),
          { maxLength: 3 },
        )
        .map((keywords) => Object.assign({}, ...keywords) as object),
    ),
  };
}).schema;

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
