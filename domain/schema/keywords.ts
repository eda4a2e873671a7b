/** The keywords of JSON Schema that decide whether a value is valid, and how each is to be read. */

export const drafts = ['draft-07', '2019-09', '2020-12'] as const;
export type Draft = (typeof drafts)[number];

/** A schema without `$schema` is read as the newest draft, which turns away what older ones spell otherwise. */
export const draftDefault: Draft = '2020-12';

/** `$schema`, a `#` at its end left out. */
export const draftUris: ReadonlyMap<string, Draft> = new Map([
  ['http://json-schema.org/draft-07/schema', 'draft-07'],
  ['https://json-schema.org/draft-07/schema', 'draft-07'],
  ['https://json-schema.org/draft/2019-09/schema', '2019-09'],
  ['https://json-schema.org/draft/2020-12/schema', '2020-12'],
]);

/** How a keyword holds other schemas. */
export type Holds =
  | 'schema'
  | 'schemas'
  | 'map of schemas'
  /** Draft-07 has both in one keyword. */
  | 'map of schemas or names'
  | 'schema or schemas';

export interface Applicator {
  readonly holds: Holds;
  /** Whether the schemas that it holds judge the same value, not a part of it. */
  readonly inPlace: boolean;
}

const part = (holds: Holds): Applicator => ({ holds, inPlace: false });
const same = (holds: Holds): Applicator => ({ holds, inPlace: true });

export const applicators: ReadonlyMap<string, Applicator> = new Map([
  ['$defs', part('map of schemas')],
  ['definitions', part('map of schemas')],
  ['properties', part('map of schemas')],
  ['patternProperties', part('map of schemas')],
  ['additionalProperties', part('schema')],
  ['propertyNames', part('schema')],
  ['unevaluatedProperties', part('schema')],
  ['items', part('schema or schemas')],
  ['prefixItems', part('schemas')],
  ['additionalItems', part('schema')],
  ['unevaluatedItems', part('schema')],
  ['contains', part('schema')],
  ['allOf', same('schemas')],
  ['anyOf', same('schemas')],
  ['oneOf', same('schemas')],
  ['not', same('schema')],
  ['if', same('schema')],
  ['then', same('schema')],
  ['else', same('schema')],
  ['dependentSchemas', same('map of schemas')],
  ['dependencies', same('map of schemas or names')],
]);

export interface Assertion {
  readonly accepted: string;
  readonly accepts: (value: unknown) => boolean;
}

const number: Assertion = { accepted: 'a number', accepts: (value) => typeof value === 'number' };
const count: Assertion = {
  accepted: 'an integer of at least 0',
  accepts: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0,
};
const text: Assertion = { accepted: 'a string', accepts: (value) => typeof value === 'string' };
const names: Assertion = {
  accepted: 'an array of strings',
  accepts: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
};

const types = new Set(['null', 'boolean', 'object', 'array', 'number', 'string', 'integer']);
const isType = (value: unknown): boolean => typeof value === 'string' && types.has(value);

export const assertions: ReadonlyMap<string, Assertion> = new Map([
  [
    'type',
    {
      accepted: `one of ${[...types].join(', ')}, or an array of them`,
      accepts: (value: unknown) =>
        isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType)),
    },
  ],
  ['enum', { accepted: 'an array', accepts: (value: unknown) => Array.isArray(value) }],
  ['const', { accepted: 'any value', accepts: () => true }],
  [
    'multipleOf',
    {
      accepted: 'a number above 0',
      accepts: (value: unknown) => typeof value === 'number' && value > 0,
    },
  ],
  ['maximum', number],
  ['exclusiveMaximum', number],
  ['minimum', number],
  ['exclusiveMinimum', number],
  ['maxLength', count],
  ['minLength', count],
  ['pattern', text],
  ['format', text],
  ['maxItems', count],
  ['minItems', count],
  ['uniqueItems', { accepted: 'true or false', accepts: (value: unknown) => typeof value === 'boolean' }],
  ['maxContains', count],
  ['minContains', count],
  ['maxProperties', count],
  ['minProperties', count],
  ['required', names],
  [
    'dependentRequired',
    {
      accepted: 'an object of arrays of strings',
      accepts: (value: unknown) =>
        typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value) &&
        Object.values(value).every(names.accepts),
    },
  ],
]);

const newIn2019 = [
  'unevaluatedProperties',
  'unevaluatedItems',
  'dependentSchemas',
  'dependentRequired',
  'maxContains',
  'minContains',
];

/** Keywords that a draft does not have: it would ignore them, though their author meant something. */
export const foreignKeywords: Readonly<Record<Draft, ReadonlySet<string>>> = {
  'draft-07': new Set([...newIn2019, 'prefixItems']),
  '2019-09': new Set(['prefixItems']),
  '2020-12': new Set(['additionalItems']),
};
