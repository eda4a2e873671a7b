import fc from 'fast-check';
import { exampleCall, routes } from './example-calls.ts';
import { claims, signToken } from './web-tokens.ts';

/** A request as bytes on the wire will have it. */
export interface StrangeRequest {
  readonly operation: string;
  readonly method: string;
  /** Visible bytes only: what else a request line holds is the parser's business. */
  readonly target: string;
  readonly authorization: string;
  readonly contentType: string;
  readonly body: Buffer | null;
}

/**
 * Requests to every route that are an example with something wrong: in the path, the query, the body as JSON or as bytes,
 * the credential, or the media type.
 * @param keys credentials that are good
 */
export function strangeRequests(keys: readonly string[]): fc.Arbitrary<StrangeRequest> {
  return fc
    .tuple(
      fc.constantFrom(...routes),
      fc.array(fc.tuple(fc.nat(), strangeText), { maxLength: 3 }),
      strangeQuery,
      strangeBody,
      fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...keys) },
        { weight: 1, arbitrary: strangeCredential },
      ),
      fc.oneof(
        { weight: 9, arbitrary: fc.constant('application/json') },
        { weight: 1, arbitrary: strangeText.map(visible) },
      ),
    )
    .map(([route, replaced, query, changeBody, authorization, contentType]) => {
      const { parameters = [] } = route.description;
      const values: Record<string, string> = {};
      for (const [choice, value] of replaced) {
        const parameter = parameters[choice % Math.max(1, parameters.length)];
        if (parameter !== undefined) values[parameter.name] = value;
      }
      const call = exampleCall(route, values);
      const target = `${call.path}${query === '' ? '' : `${call.path.includes('?') ? '&' : '?'}${query}`}`;
      return {
        operation: route.description.id,
        method: route.method,
        target: visible(target),
        authorization,
        contentType,
        body: call.body === null ? null : changeBody(call.body),
      };
    });
}

/** Every byte that a request line or a header can't have, percent-encoded. */
function visible(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/[^\x21-\x7e\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replaceAll('#', '%23');
}

const texts = [
  ...['', '0', '1', '00', '-1', '1e3', '9007199254740993', '18446744073709551615', '18446744073709551616'],
  ...[
    "' or 1=1 --",
    '%00',
    '%ff',
    '%',
    '%2525',
    '\ufeff',
    '__proto__',
    'constructor',
    '..',
    '%2e%2e%2f',
    '\r\nx: y',
  ],
  ...['11111111-1111-4111-8111-111111111111', '{11111111-1111-4111-8111-111111111111}', 'not a uuid'],
  ...['2026-01-31T12:00:00Z', '9999-12-31T23:59:60Z', '0000-00-00T00:00:00Z', 'NaN', 'null', 'x'.repeat(600)],
  // Postgres text holds neither of these.
  ...[
    'a\0b',
    '\ud800'.toWellFormed(),
    '%ed%a0%80',
    '1769860800000000-7',
    '99999999999999999-999999999999999',
  ],
];
const strangeText = fc.oneof(fc.constantFrom(...texts), fc.string({ unit: 'binary', maxLength: 40 }));
const parameterNames = [
  ...new Set(routes.flatMap(({ description }) => (description.parameters ?? []).map(({ name }) => name))),
];

const strangeQuery = fc
  .array(fc.tuple(fc.constantFrom(...parameterNames, '__proto__', ''), strangeText, fc.boolean()), {
    maxLength: 3,
  })
  .map((pairs) =>
    pairs
      .map(
        ([name, value, encoded]) => `${name}=${encoded ? encodeURIComponent(value.toWellFormed()) : value}`,
      )
      .join('&'),
  );

/** Text that stands where a JSON value should. */
const strangeToken = fc.oneof(
  fc.json({ maxDepth: 3 }),
  strangeText.map((text) => JSON.stringify(text)),
  fc.constantFrom(
    ...[
      '-0',
      '1.0',
      '1e400',
      '01',
      '+1',
      'NaN',
      '[',
      '{',
      '"',
      'tru',
      '1'.repeat(400),
      '"\\ud800"',
      '"\\u0000"',
    ],
    ...['{"a":1,"a":2}', '{"__proto__":{"x":1}}', '{"constructor":{"prototype":{}}}', '[1,]', '/* */ 1'],
    ...['['.repeat(300) + ']'.repeat(300), '{"a":'.repeat(300) + '1' + '}'.repeat(300), '['.repeat(10_000)],
  ),
);

/** JSON Schemas and what only looks like them. */
const strangeSchema = fc
  .dictionary(
    fc.constantFrom(
      ...[
        'type',
        'properties',
        'required',
        'items',
        'pattern',
        '$ref',
        '$id',
        '$schema',
        '$defs',
        'anyOf',
        'not',
      ],
      ...[
        'allOf',
        'const',
        'enum',
        'minimum',
        'multipleOf',
        'format',
        'patternProperties',
        'if',
        '$dynamicRef',
      ],
      ...['unevaluatedProperties', 'dependentSchemas', 'prefixItems', 'contains', '__proto__', 'maxLength'],
    ),
    fc.oneof(
      fc.constantFrom<unknown>(
        ...[
          'object',
          'string',
          '#',
          '#/$defs/a',
          'http://127.0.0.1:1/x',
          '(a+)+$',
          '(?=a)',
          '\\p{L}',
          '[',
          'date-time',
        ],
        ...['https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-07/schema#'],
        ...[{ a: { $ref: '#' } }, [{ type: 'number' }], { type: 'array' }, true, -1, 0, 1e308, []],
      ),
      fc.jsonValue({ maxDepth: 3 }),
    ),
    { maxKeys: 6 },
  )
  .map((schema) => JSON.stringify(schema));

/** Makes a body of an example. */
const strangeBody: fc.Arbitrary<(example: unknown) => Buffer> = fc.oneof(
  { weight: 1, arbitrary: fc.constant((example: unknown) => Buffer.from(JSON.stringify(example))) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.nat(), strangeToken)
      .map(([choice, token]) => replacing(valuePattern, choice, token)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(), strangeText)
      .map(([choice, name]) => replacing(namePattern, choice, JSON.stringify(name))),
  },
  {
    weight: 2,
    arbitrary: strangeSchema.map((schema) => (example: unknown) => {
      const text = JSON.stringify({ ...(example as object), schemaJson: null });
      return Buffer.from(text.replace('"schemaJson":null', () => `"schemaJson":${schema}`));
    }),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 })
      .map((changes) => (example: unknown) => {
        const bytes = Buffer.from(JSON.stringify(example));
        for (const [place, value] of changes) bytes[place % bytes.length] = value;
        return bytes;
      }),
  },
  {
    weight: 1,
    arbitrary: fc.nat().map((cut) => (example: unknown) => {
      const bytes = Buffer.from(JSON.stringify(example));
      return bytes.subarray(0, cut % bytes.length);
    }),
  },
  { weight: 1, arbitrary: fc.json().map((text) => () => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => () => Buffer.from(bytes)) },
);

const valuePattern = /(?<=[:[,])(?:"(?:[^"\\]|\\.)*"(?!:)|-?[\d.]+|true|false|null|\[[^[\]]*\]|\{[^{}]*\})/g;
const namePattern = /"\w+"(?=:)/g;

function replacing(pattern: RegExp, choice: number, replacement: string) {
  return (example: unknown): Buffer => {
    const text = JSON.stringify(example);
    const matches = [...text.matchAll(pattern)];
    const match = matches[choice % Math.max(1, matches.length)];
    if (match === undefined) return Buffer.from(text);
    return Buffer.from(text.slice(0, match.index) + replacement + text.slice(match.index + match[0].length));
  };
}

/** Tokens with strange claims, headers and signatures, and things that are no credential at all. */
const strangeCredential = fc.oneof(
  strangeText.map(visible),
  strangeText.map((text) => `ApiKey ${visible(text)}`),
  strangeText.map((text) => `Bearer ${visible(text)}`),
  fc
    .tuple(
      fc.dictionary(
        fc.constantFrom(
          'sub',
          'iss',
          'aud',
          'exp',
          'iat',
          'nbf',
          'jti',
          'stores',
          'agent',
          'perms',
          '__proto__',
        ),
        fc.oneof(strangeText, fc.double(), fc.jsonValue({ maxDepth: 2 })),
        { maxKeys: 4 },
      ),
      fc.constantFrom(
        { alg: 'HS256', typ: 'JWT' },
        { alg: 'none', typ: 'JWT' },
        { alg: 'HS512', typ: 'JWT' },
      ),
    )
    .map(
      ([changed, header]) =>
        `Bearer ${signToken(claims({ perms: 'read,write,admin', ...changed }), { header })}`,
    ),
  fc.jsonValue({ maxDepth: 2 }).map((payload) => `Bearer ${signToken(JSON.stringify(payload))}`),
);
