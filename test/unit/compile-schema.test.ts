import fc from 'fast-check';
import { compileSchema } from '../../services/schemas/compile-schema.ts';
import { jsonValues, schemas } from '../support/schema-arbitrary.ts';

function errors(schema: unknown, value: unknown): string[] {
  const found = compileSchema(schema, 'all errors').errorsOf(value, 1_000);
  return found.map(({ path, message }) => `${path}: ${message}`);
}

function isValid(schema: unknown, value: unknown): boolean {
  return compileSchema(schema).errorsOf(value, 1_000).length === 0;
}

test('to look for one error and to look for all come to the same verdict', () => {
  fc.assert(
    fc.property(schemas, fc.array(jsonValues, { minLength: 10, maxLength: 20 }), (schema, given) => {
      const [one, all] = [compileSchema(schema), compileSchema(schema, 'all errors')];
      for (const value of given) {
        const [first] = one.errorsOf(value, 1_000);
        expect([value, all.errorsOf(value, 1_000).length > 0]).toEqual([value, first !== undefined]);
      }
    }),
    { numRuns: 500, interruptAfterTimeLimit: 20_000 },
  );
});

test.each<[string, object, unknown]>([
  ['prefixItems', { prefixItems: [{ type: 'string' }] }, []],
  ['items of draft-07', { $schema: 'http://json-schema.org/draft-07/schema#', items: [{}] }, []],
])('an array shorter than %s must contain what it must all the same', (_keyword, schema, value) => {
  expect(isValid(schema, value)).toBe(true);
  expect(isValid({ ...schema, contains: { type: 'null' } }, value)).toBe(false);
  expect(isValid({ ...schema, contains: { type: 'null' } }, [null])).toBe('items' in schema);
});

test('errors tell the place as a JSON pointer', () => {
  const schema = { properties: { 'a/b~c': { items: { type: 'string', maxLength: 1 } } }, required: ['d'] };
  expect(errors(schema, { 'a/b~c': ['x', 5, 'yy'] })).toEqual([
    ": must have required property 'd'",
    '/a~1b~0c/1: must be string',
    '/a~1b~0c/2: must NOT have more than 1 characters',
  ]);
});

test('of very many errors the first hundred are told', () => {
  expect(errors({ items: false }, Array(500).fill(0))).toHaveLength(100);
});

test.each<[string, string[], string[]]>([
  ['date-time', ['2025-12-20T18:31:22.5Z'], ['2025-02-30T00:00:00Z', '2025-12-20', '']],
  ['duration', ['P1DT2H'], ['P', '1D']],
  ['email', ['a.b@example.com'], ['a@', 'a b@example.com']],
  ['hostname', ['a-b.example'], ['-a.example', `${'a'.repeat(300)}.example`]],
  ['ipv4', ['10.0.0.255'], ['10.0.0.256', '010.0.0.1']],
  ['ipv6', ['::1', 'fe80::1:2'], ['::1::', '12345::']],
  ['uri', ['https://example.com/a?b=c#d', 'urn:a:b'], ['/a', 'https://exa mple.com']],
  ['uri-reference', ['/a', '../b?c'], ['\\a']],
  ['uuid', ['11aa0000-0000-4000-8000-00000000000A'], ['11aa']],
  ['json-pointer', ['', '/a~0b'], ['a', '/~2']],
  ['something-else', ['anything'], []],
])('the format %s', (format, good, bad) => {
  for (const text of good) expect([text, isValid({ format }, text)]).toEqual([text, true]);
  for (const text of bad) expect([text, isValid({ format }, text)]).toEqual([text, false]);
});

test('values are equal whatever the order of their members and the spelling of numbers', () => {
  expect(isValid({ const: { a: 1, b: [2] } }, JSON.parse('{"b":[2.0],"a":1e0}'))).toBe(true);
  expect(
    isValid({ uniqueItems: true }, [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ]),
  ).toBe(false);
  expect(isValid({ uniqueItems: true }, [1, '1', true, [1], { 1: 1 }, null, 'null'])).toBe(true);
});
