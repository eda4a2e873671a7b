import { applicators, type Holds } from './keywords.ts';
import { pointerTo, schemaFault, type SchemaNode, type SchemaObject } from './node.ts';

/** How many references in a row may lead from a value to the same value: each is a frame on the stack. */
const referencesInPlaceMax = 16;

interface Reference {
  readonly from: SchemaObject;
  readonly at: string;
  readonly text: string;
}

/**
 * The references of one schema document, which may lead to nowhere else. With one document and no `$id` inside of it the
 * dynamic kinds of reference mean what `$ref` means, so they become one.
 */
export class SchemaReferences {
  private readonly rootId: string | null;
  private readonly targets = new Map<string, SchemaNode>();
  private readonly anchors = new Map<string, string>();
  private readonly references: Reference[] = [];

  constructor(rootId: string | null) {
    this.rootId = rootId;
  }

  target(pointer: string, node: SchemaNode): void {
    this.targets.set(pointer, node);
  }

  /** Notes what a schema refers to and how it may be referred to. @throws Refused */
  read(node: SchemaObject, given: Readonly<Record<string, unknown>>, pointer: string): void {
    if (pointer !== '' && Object.hasOwn(given, '$id')) {
      throw schemaFault(
        pointerTo(pointer, '$id'),
        'is not at the root; use $ref with a JSON pointer instead',
      );
    }
    for (const keyword of ['$anchor', '$dynamicAnchor']) {
      const name = textOf(given, keyword, pointer);
      if (name !== null) this.anchors.set(name, pointer);
    }
    for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef']) {
      const text = textOf(given, keyword, pointer);
      if (text === null) continue;
      const at = pointerTo(pointer, keyword);
      if (node.$ref !== undefined)
        throw schemaFault(at, 'stands beside another reference; use allOf for both');
      node.$ref = text;
      this.references.push({ from: node, at, text });
    }
  }

  /** Turns every reference into a pointer. @throws Refused for one that leads nowhere, away, or back to itself */
  settle(): void {
    for (const { from, at, text } of this.references) {
      const pointer = this.pointerOf(text, at);
      if (!this.targets.has(pointer)) {
        throw schemaFault(at, `refers to ${JSON.stringify(text)}, where this document has no schema`);
      }
      from.$ref = `#${pointer.split('/').map(encodeURIComponent).join('/')}`;
    }
    this.checkDescent();
  }

  private pointerOf(text: string, at: string): string {
    const isOwn = this.rootId !== null && text.startsWith(`${this.rootId}#`);
    const local = isOwn ? text.slice(this.rootId.length) : text === this.rootId ? '#' : text;
    if (!local.startsWith('#')) {
      throw schemaFault(
        at,
        `refers to ${JSON.stringify(text)}; only "#…", inside the same document, is followed`,
      );
    }
    const fragment = decode(local.slice(1), at);
    if (fragment === '' || fragment.startsWith('/')) return fragment;
    return this.anchors.get(fragment) ?? '/';
  }

  /** A schema that comes back to itself for the same value would never be done with it. */
  private checkDescent(): void {
    /** How many references in a row begin at a node; -1 while that is being found out. */
    const chains = new Map<SchemaObject, number>();
    const chainOf = (node: SchemaNode, pointer: string): number => {
      if (typeof node === 'boolean') return 0;
      const known = chains.get(node);
      if (known === -1) throw schemaFault(pointer, 'refers to itself without going into the value');
      if (known !== undefined) return known;
      chains.set(node, -1);
      let chain = 0;
      for (const { next, isReference } of this.inPlace(node)) {
        chain = Math.max(chain, chainOf(next, pointer) + (isReference ? 1 : 0));
      }
      if (chain > referencesInPlaceMax) {
        throw schemaFault(pointer, `goes through more than ${referencesInPlaceMax} references in a row`);
      }
      chains.set(node, chain);
      return chain;
    };
    for (const [pointer, node] of this.targets) chainOf(node, pointer);
  }

  private *inPlace(node: SchemaObject): Generator<{ next: SchemaNode; isReference: boolean }> {
    if (node.$ref !== undefined) {
      yield { next: resolveReference(this.targets.get(''), node.$ref), isReference: true };
    }
    for (const [keyword, held] of Object.entries(node)) {
      const applicator = applicators.get(keyword);
      if (applicator?.inPlace !== true) continue;
      for (const next of schemasIn(held, applicator.holds)) yield { next, isReference: false };
    }
  }
}

/** The schema that a settled reference leads to. */
export function resolveReference(root: SchemaNode | undefined, reference: string): SchemaNode {
  let at: unknown = root;
  for (const step of reference.split('/').slice(1)) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    at = (at as Record<string, unknown>)[name];
  }
  return at as SchemaNode;
}

/** The schemas that an applicator holds. */
export function schemasIn(held: unknown, holds: Holds): SchemaNode[] {
  switch (holds) {
    case 'schema':
    case 'schemas':
    case 'schema or schemas':
      return [held].flat() as SchemaNode[];
    case 'map of schemas':
    case 'map of schemas or names':
      return Object.values(held as object).filter((member) => !Array.isArray(member)) as SchemaNode[];
  }
}

function textOf(given: Readonly<Record<string, unknown>>, keyword: string, pointer: string): string | null {
  if (!Object.hasOwn(given, keyword)) return null;
  const text = given[keyword];
  if (typeof text !== 'string') throw schemaFault(pointerTo(pointer, keyword), 'must be a string');
  return text;
}

function decode(text: string, at: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw schemaFault(at, 'is not percent-encoded UTF-8');
  }
}
