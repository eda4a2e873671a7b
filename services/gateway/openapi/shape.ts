import { u32Max } from '../query.ts';
import type { FieldNames } from '../../../domain/json/field-names.ts';

/** A JSON Schema of draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a value looks like, and an example of it from which the examples of whole bodies are put together. */
export interface Shape {
  readonly schema: JsonSchema;
  /** Undefined for a member that examples leave out. */
  readonly example: unknown;
  /** Whether an object may lack it; in a request it may then also be null. */
  readonly optional?: true;
}

/** Members of an object by name. */
type Members = Readonly<Record<string, Shape>>;

export function text(example: string, limits: JsonSchema = {}): Shape {
  return { schema: { type: 'string', ...limits }, example };
}

export function uuid(example: string): Shape {
  return text(example, { format: 'uuid' });
}

/** RFC 3339. */
export function timestamp(example: string): Shape {
  return text(example, { format: 'date-time' });
}

/** This many bytes as hex, written without `0x` unless a prefix is given. */
export function hex(bytes: number, example: string, prefix: '' | '0x' | '(0x)?' = ''): Shape {
  return text(example, { pattern: `^${prefix}[0-9a-fA-F]{${2 * bytes}}$` });
}

export function integer(example: number, limits: JsonSchema = {}): Shape {
  return { schema: { type: 'integer', minimum: 0, ...limits }, example };
}

export function u32(example: number): Shape {
  return integer(example, { maximum: u32Max });
}

/** JSON numbers in a schema are doubles, so the largest one can only be named. */
export function u64(example: number): Shape {
  return integer(example, { format: 'uint64' });
}

export function number(example: number): Shape {
  return { schema: { type: 'number', minimum: 0 }, example };
}

export function flag(example: boolean): Shape {
  return { schema: { type: 'boolean' }, example };
}

/** One of these values, of which the first is the example. */
export function oneOf(values: readonly (string | number | boolean)[]): Shape {
  return { schema: { enum: values }, example: values[0] };
}

/** Any JSON. */
export function anything(example: unknown): Shape {
  return { schema: {}, example };
}

export function list(item: Shape, limits: JsonSchema = {}): Shape {
  return { schema: { type: 'array', items: item.schema, ...limits }, example: [item.example] };
}

/** The same, or null. */
export function nullable({ schema, ...rest }: Shape): Shape {
  return { ...rest, schema: orNull(schema) };
}

/** An example of null, for what is null until something happens. */
export function nullYet(shape: Shape): Shape {
  return { ...nullable(shape), example: null };
}

/** May be absent, and is in the example all the same. */
export function optional(shape: Shape): Shape {
  return { ...shape, optional: true };
}

/** May be absent, as it is in the example. */
export function absent(shape: Shape): Shape {
  return { ...shape, optional: true, example: undefined };
}

/** The same value with a sentence about it. */
export function about(description: string, shape: Shape): Shape {
  return { ...shape, schema: { ...shape.schema, description } };
}

/**
 * An object that a request holds. The names are those with which the body is read, so none can be forgotten here; others
 * are ignored, and null counts as absent where a member is optional.
 */
export function request<Name extends string>(
  _names: FieldNames<Name>,
  members: Readonly<Record<Name, Shape>>,
): Shape {
  const given = Object.entries<Shape>(members).map(
    ([name, shape]) => [name, shape.optional ? { ...shape, schema: orNull(shape.schema) } : shape] as const,
  );
  return objectOf(Object.fromEntries(given), {});
}

/** An object that is answered: nothing but these members. */
export function answer(members: Members): Shape {
  return objectOf(members, { additionalProperties: false });
}

function objectOf(members: Members, more: JsonSchema): Shape {
  const entries = Object.entries(members);
  const required = entries
    .filter(([, { optional: isOptional }]) => isOptional !== true)
    .map(([name]) => name);
  const properties = Object.fromEntries(entries.map(([name, { schema }]) => [name, schema]));
  const examples = entries.map(([name, { example }]) => [name, example] as const);
  return {
    schema: { type: 'object', ...(required.length > 0 && { required }), properties, ...more },
    example: Object.fromEntries(examples.filter(([, example]) => example !== undefined)),
  };
}

function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: values, ...rest } = schema;
  if (Array.isArray(values)) return { enum: [...(values as unknown[]), null], ...rest };
  if (typeof type === 'string') return { type: [type, 'null'], ...rest };
  return schema;
}
