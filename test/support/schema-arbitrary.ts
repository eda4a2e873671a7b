import fc from 'fast-check';

const scalar = fc.constantFrom(null, true, 0, 1, 2, 3.5, -1, '', 'a', 'ab', 'abc');
/** Values that small schemas judge differently. */
export const jsonValues = fc.letrec<{ value: unknown }>((tie) => ({
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

/** Schemas of 2020-12 without references. */
export const schemas = fc.letrec<{ schema: unknown }>((tie) => {
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
