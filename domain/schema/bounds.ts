import type { SchemaObject } from './node.ts';

/** `number` stands for numbers that are no integers. */
const allTypes = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'];

/** The types that a value may have which is valid by all of these schemas. */
export function typesOf(writers: readonly SchemaObject[]): ReadonlySet<string> {
  let types = new Set(allTypes);
  for (const writer of writers) {
    if (writer.type !== undefined) types = intersection(types, namedTypes(writer.type));
    const values = listedValues(writer);
    if (values !== null) types = intersection(types, new Set(values.map(typeOf)));
  }
  return types;
}

/**
 * Whether every value that is valid by all of the writer's schemas obeys one keyword of the reader's that holds no schemas.
 * @returns what is not shown, or null
 */
export function boundFault(writers: readonly SchemaObject[], keyword: string, held: unknown): string | null {
  const types = typesOf(writers);
  const only = onlyFor[keyword];
  if (only !== undefined && !only.some((type) => types.has(type))) return null;
  const some = (name: string, isEnough: (value: never) => boolean): boolean =>
    writers.some((writer) => writer[name] !== undefined && isEnough(writer[name] as never));
  // Not by conversion, which would call a member that is named toString.
  const limit = typeof held === 'number' ? held : NaN;
  switch (keyword) {
    case 'type': {
      const accepted = namedTypes(held);
      const lost = [...types].filter((type) => !accepted.has(type));
      return lost.length === 0 ? null : `may be of the type ${lost.join(', ')}, which is not accepted`;
    }
    case 'enum':
    case 'const': {
      const accepted = keyword === 'const' ? [held] : (held as unknown[]);
      const isListed = writers.some((writer) =>
        listedValues(writer)?.every((value) => accepted.some((one) => equalJson(one, value))),
      );
      return isListed ? null : `may be a value that is not among those of ${keyword}`;
    }
    case 'required': {
      const missing = (held as string[]).filter((name) => !requires(writers, name));
      return missing.length === 0 ? null : `may lack ${missing.join(', ')}, which is required`;
    }
    case 'dependentRequired': {
      const isKept = Object.entries(held as Record<string, string[]>).every(
        ([name, names]) =>
          names.every((needed) => requires(writers, needed)) ||
          some('dependentRequired', (theirs: Record<string, string[]>) =>
            names.every((needed) => Object.hasOwn(theirs, name) && theirs[name]?.includes(needed)),
          ),
      );
      return isKept ? null : 'may lack what dependentRequired demands';
    }
    case 'minimum':
      return some('minimum', (theirs: number) => theirs >= limit) ||
        some('exclusiveMinimum', (theirs: number) => theirs >= limit)
        ? null
        : `may be below the minimum ${limit}`;
    case 'exclusiveMinimum':
      return some('minimum', (theirs: number) => theirs > limit) ||
        some('exclusiveMinimum', (theirs: number) => theirs >= limit)
        ? null
        : `may be ${limit} or below`;
    case 'maximum':
      return some('maximum', (theirs: number) => theirs <= limit) ||
        some('exclusiveMaximum', (theirs: number) => theirs <= limit)
        ? null
        : `may be above the maximum ${limit}`;
    case 'exclusiveMaximum':
      return some('maximum', (theirs: number) => theirs < limit) ||
        some('exclusiveMaximum', (theirs: number) => theirs <= limit)
        ? null
        : `may be ${limit} or above`;
    case 'multipleOf':
      return (limit === 1 && !types.has('number')) ||
        some(keyword, (theirs: number) => theirs === limit || isIntegerMultiple(theirs, limit))
        ? null
        : `may be no multiple of ${limit}`;
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return limit === 0 || some(keyword, (theirs: number) => theirs >= limit)
        ? null
        : `may be shorter than ${keyword} ${limit} allows`;
    case 'maxLength':
    case 'maxItems':
    case 'maxProperties':
      return some(keyword, (theirs: number) => theirs <= limit)
        ? null
        : `may be longer than ${keyword} ${limit} allows`;
    case 'uniqueItems':
      return held === false || some(keyword, (theirs: boolean) => theirs)
        ? null
        : 'may have equal elements, which uniqueItems forbids';
    default:
      // Of patterns and formats nothing is known but that equal ones are equal.
      return some(keyword, (theirs: unknown) => equalJson(theirs, held))
        ? null
        : `can not be decided for ${keyword}, unless both have the same`;
  }
}

/** Keywords that judge values of some types only. */
const onlyFor: Readonly<Record<string, readonly string[]>> = {
  required: ['object'],
  dependentRequired: ['object'],
  minProperties: ['object'],
  maxProperties: ['object'],
  minItems: ['array'],
  maxItems: ['array'],
  uniqueItems: ['array'],
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
  format: ['string'],
  minimum: ['number', 'integer'],
  exclusiveMinimum: ['number', 'integer'],
  maximum: ['number', 'integer'],
  exclusiveMaximum: ['number', 'integer'],
  multipleOf: ['number', 'integer'],
};

/** Whether two JSON values are equal, whatever the order of their members. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every(
      (name) =>
        Object.hasOwn(b, name) &&
        equalJson((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
    )
  );
}

function requires(writers: readonly SchemaObject[], name: string): boolean {
  return writers.some((writer) => (writer.required as string[] | undefined)?.includes(name) === true);
}

/** The only values that a schema accepts, if it lists them. */
function listedValues(writer: SchemaObject): unknown[] | null {
  if (Object.hasOwn(writer, 'const')) return [writer.const];
  return (writer.enum as unknown[] | undefined) ?? null;
}

function namedTypes(type: unknown): Set<string> {
  const names = new Set([type].flat() as string[]);
  if (names.has('number')) names.add('integer');
  return names;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function intersection(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  return new Set([...a].filter((type) => b.has(type)));
}

/** Beyond 2^53 remainders are not exact; neither are they of fractions. */
function isIntegerMultiple(a: number, b: number): boolean {
  return Number.isSafeInteger(a) && Number.isSafeInteger(b) && a % b === 0;
}
