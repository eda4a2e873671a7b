import {
  applicators,
  assertions,
  type Draft,
  draftDefault,
  draftUris,
  foreignKeywords,
  type Holds,
} from './keywords.ts';
import { pointerTo, schemaFault, type SchemaNode, type SchemaObject } from './node.ts';
import { SchemaReferences } from './references.ts';

export interface PlainSchema {
  readonly draft: Draft;
  readonly root: SchemaNode;
  /** Every regular expression, with the JSON pointer of where it stands. */
  readonly patterns: readonly { readonly pattern: string; readonly pointer: string }[];
}

/** Compiling takes a tenth of a millisecond for each. */
export const subschemasMax = 1_000;
export const schemaDepthMax = 64;

/**
 * Reads a schema of one of the drafts: checks every keyword that decides, leaves out those that only annotate and those
 * that are unknown, and turns every reference into a JSON pointer.
 * @param value parsed JSON
 * @throws Refused with the JSON pointer of what can't be accepted
 */
export function readSchema(value: unknown): PlainSchema {
  const draft = draftOf(value);
  const reader = new SchemaReader(draft, rootIdOf(value));
  const root = reader.read(value, '', 0);
  reader.references.settle();
  return { draft, root, patterns: reader.patterns };
}

class SchemaReader {
  readonly patterns: { pattern: string; pointer: string }[] = [];
  readonly references: SchemaReferences;
  private readonly draft: Draft;
  private count = 0;

  constructor(draft: Draft, rootId: string | null) {
    this.draft = draft;
    this.references = new SchemaReferences(rootId);
  }

  read(value: unknown, pointer: string, depth: number): SchemaNode {
    if (++this.count > subschemasMax) throw schemaFault('', `has more than ${subschemasMax} subschemas`);
    if (depth > schemaDepthMax) throw schemaFault(pointer, `nests deeper than ${schemaDepthMax} levels`);
    if (typeof value === 'boolean') {
      this.references.target(pointer, value);
      return value;
    }
    const given = record(value, pointer);
    const node = bare();
    this.references.target(pointer, node);
    for (const [keyword, held] of Object.entries(given)) {
      const at = pointerTo(pointer, keyword);
      if (foreignKeywords[this.draft].has(keyword)) {
        throw schemaFault(at, `is no keyword of ${this.draft}; name the draft that has it in $schema`);
      }
      const applicator = applicators.get(keyword);
      if (applicator !== undefined) {
        node[keyword] = this.readHeld(held, applicator.holds, keyword, at, depth + 1);
      } else this.readAssertion(node, keyword, held, at);
    }
    this.references.read(node, given, pointer);
    return node;
  }

  private readHeld(held: unknown, holds: Holds, keyword: string, at: string, depth: number): unknown {
    switch (holds) {
      case 'schema':
        return this.read(held, at, depth);
      case 'schema or schemas':
        return Array.isArray(held) ? this.readList(held, keyword, at, depth) : this.read(held, at, depth);
      case 'schemas':
        return this.readList(held, keyword, at, depth);
      case 'map of schemas':
      case 'map of schemas or names': {
        const map = bare();
        for (const [name, member] of Object.entries(record(held, at))) {
          const memberAt = pointerTo(at, name);
          if (name === '__proto__') throw schemaFault(memberAt, 'has a name that is not accepted');
          if (keyword === 'patternProperties') this.patterns.push({ pattern: name, pointer: memberAt });
          const isNames = holds === 'map of schemas or names' && Array.isArray(member);
          if (isNames) check(member, 'required', memberAt);
          map[name] = isNames ? member : this.read(member, memberAt, depth + 1);
        }
        return map;
      }
    }
  }

  private readList(held: unknown, keyword: string, at: string, depth: number): SchemaNode[] {
    if (keyword === 'items' && this.draft === '2020-12') {
      throw schemaFault(at, 'is a list, which 2020-12 spells prefixItems; name the draft in $schema');
    }
    if (!Array.isArray(held) || held.length === 0) throw schemaFault(at, 'must be an array of schemas');
    return held.map((member, index) => this.read(member, pointerTo(at, index), depth + 1));
  }

  private readAssertion(node: SchemaObject, keyword: string, held: unknown, at: string): void {
    if (!assertions.has(keyword)) return;
    check(held, keyword, at);
    node[keyword] = held;
    if (keyword === 'pattern') this.patterns.push({ pattern: held as string, pointer: at });
  }
}

function check(value: unknown, keyword: string, at: string): void {
  const assertion = assertions.get(keyword);
  if (assertion?.accepts(value) === false) throw schemaFault(at, `must be ${assertion.accepted}`);
}

function record(value: unknown, pointer: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw schemaFault(pointer, 'must be a schema: an object, true or false');
}

function bare(): SchemaObject {
  return Object.create(null) as SchemaObject;
}

function draftOf(value: unknown): Draft {
  const uri = ownText(value, '$schema');
  if (uri === null) return draftDefault;
  const draft = draftUris.get(uri.replace(/#$/, ''));
  if (draft !== undefined) return draft;
  throw schemaFault('/$schema', `is none of the drafts that are known: ${[...draftUris.keys()].join(', ')}`);
}

function rootIdOf(value: unknown): string | null {
  return ownText(value, '$id')?.replace(/#$/, '') ?? null;
}

function ownText(value: unknown, name: string): string | null {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
  const text = (value as Record<string, unknown>)[name];
  if (typeof text !== 'string') throw schemaFault(`/${name}`, 'must be a string');
  return text;
}
