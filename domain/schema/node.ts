import { Refused } from '../errors.ts';

/** A schema reduced to the keywords that decide, without prototype: names such as `constructor` are names. */
export type SchemaNode = boolean | SchemaObject;
export interface SchemaObject {
  [keyword: string]: unknown;
  /** A JSON pointer as a fragment, of a schema in the same document. */
  $ref?: string;
}

/** One step of a JSON pointer. */
export function pointerTo(pointer: string, name: string | number): string {
  return `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The refusal of a part of a schema. */
export function schemaFault(pointer: string, fault: string): Refused {
  return new Refused('INVALID_FIELD_VALUE', `schemaJson${pointer === '' ? '' : ` at ${pointer}`} ${fault}`, {
    pointer,
  });
}
