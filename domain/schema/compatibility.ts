import { applicators } from './keywords.ts';
import { pointerTo, type SchemaNode, type SchemaObject } from './node.ts';
import type { PlainSchema } from './read-schema.ts';
import { resolveReference } from './references.ts';
import { boundFault, equalJson, typesOf } from './bounds.ts';

/** Why a schema is not known to accept every value that another accepts, and where in both that is. */
export interface Incompatibility {
  /** As a sentence in which the writer's schema is "what was valid" and the reader's "what is accepted". */
  readonly fault: string;
  readonly writerPointer: string;
  readonly readerPointer: string;
}

/** A schema and where in its document it stands. */
interface Place {
  readonly node: SchemaNode;
  readonly at: string;
}

/** Comparing schemas that branch again and again could take for ever. */
const comparisonsMax = 20_000;

/**
 * Whether every value that is valid by the writer's schema is valid by the reader's, as far as their keywords show it. What
 * can't be shown counts as a fault: a promise of compatibility is kept only when it can be proved.
 * @returns null when it is proved
 */
export function findIncompatibility(writer: PlainSchema, reader: PlainSchema): Incompatibility | null {
  const comparison = new Comparison(writer.root, reader.root);
  return comparison.compare([{ node: writer.root, at: '' }], { node: reader.root, at: '' });
}

class Comparison {
  private readonly writerRoot: SchemaNode;
  private readonly readerRoot: SchemaNode;
  /** Pairs that are being compared: a value is finite, so what leads back to them holds if all else does. */
  private readonly assumed = new Set<string>();
  /** The same in the order in which they came. */
  private readonly trail: string[] = [];
  private count = 0;

  constructor(writerRoot: SchemaNode, readerRoot: SchemaNode) {
    this.writerRoot = writerRoot;
    this.readerRoot = readerRoot;
  }

  /** @param writers all of which a value is valid by */
  compare(writers: readonly Place[], reader: Place): Incompatibility | null {
    return this.compareFlat(
      writers.flatMap((writer) => this.conjuncts(writer)),
      reader,
    );
  }

  /** @param parts the writers, and beside them all that they refer to or join */
  private compareFlat(parts: readonly Place[], reader: Place): Incompatibility | null {
    if (reader.node === true || parts.some(({ node }) => node === false)) return null;
    const key = `${[...new Set(parts.map(({ at }) => at))].sort().join(' ')} > ${reader.at}`;
    if (this.assumed.has(key)) return null;
    if (++this.count > comparisonsMax) return fault('is too much to compare', parts, reader.at);
    this.assumed.add(key);
    this.trail.push(key);
    return this.compareBranches(parts, reader);
  }

  /** What the writer offers to choose from must be accepted whatever is chosen. */
  private compareBranches(parts: readonly Place[], reader: Place): Incompatibility | null {
    const direct = this.tried(() => this.compareParts(parts, reader));
    const choice = direct === null ? null : choiceIn(parts);
    if (choice === null) return direct;
    return first(choice.branches.entries(), ([index, node]) => {
      const branch = this.conjuncts({ node, at: pointerTo(choice.at, index) });
      return this.compareFlat([...choice.others, ...branch], reader);
    });
  }

  private compareParts(parts: readonly Place[], { node, at }: Place): Incompatibility | null {
    if (typeof node === 'boolean') return node ? null : fault('is accepted no more', parts, at);
    for (const [keyword, held] of Object.entries(node)) {
      const found = this.compareKeyword(parts, node, keyword, held, at);
      if (found !== null) return found;
    }
    return null;
  }

  private compareKeyword(
    parts: readonly Place[],
    reader: SchemaObject,
    keyword: string,
    held: unknown,
    at: string,
  ): Incompatibility | null {
    const here = pointerTo(at, keyword);
    switch (keyword) {
      case '$defs':
      case 'definitions':
      case 'then':
      case 'else':
      case 'minContains':
      case 'maxContains':
        return null;
      case '$ref':
        return this.compareFlat(parts, this.followed(this.readerRoot, held as string));
      case 'allOf':
        return first((held as SchemaNode[]).entries(), ([index, node]) =>
          this.compareFlat(parts, { node, at: pointerTo(here, index) }),
        );
      case 'anyOf': {
        const isAccepted = (held as SchemaNode[]).some(
          (node, index) =>
            this.tried(() => this.compareFlat(parts, { node, at: pointerTo(here, index) })) === null,
        );
        if (isAccepted) return null;
        return fault('can not be shown to be accepted by one of the alternatives', parts, here);
      }
      case 'properties':
        if (!mayBe(parts, 'object')) return null;
        return first(Object.entries(held as Record<string, SchemaNode>), ([name, node]) =>
          this.compare(this.memberOf(parts, name), { node, at: pointerTo(here, name) }),
        );
      case 'additionalProperties':
        return mayBe(parts, 'object')
          ? this.compareAdditional(parts, reader, held as SchemaNode, here)
          : null;
      case 'items':
      case 'prefixItems':
      case 'additionalItems':
        return mayBe(parts, 'array') ? this.compareItems(parts, reader, at, here) : null;
      default:
        return this.compareAssertion(parts, reader, keyword, held, here);
    }
  }

  /** Keywords that hold no schemas, and those of which nothing can be shown unless both have the same. */
  private compareAssertion(
    parts: readonly Place[],
    reader: SchemaObject,
    keyword: string,
    held: unknown,
    here: string,
  ): Incompatibility | null {
    if (applicators.has(keyword)) {
      return parts.some((part) => this.hasSame(part, reader, keyword))
        ? null
        : fault(
            `can not be decided for ${keyword}, unless both have the same without references`,
            parts,
            here,
          );
    }
    const found = boundFault(parts.map(objectOf), keyword, held);
    return found === null ? null : fault(found, parts, here);
  }

  private hasSame(part: Place, reader: SchemaObject, keyword: string): boolean {
    // What these say depends on the keywords beside them.
    const beside: Readonly<Record<string, readonly string[]>> = {
      if: ['if', 'then', 'else'],
      contains: ['contains', 'minContains', 'maxContains'],
      unevaluatedProperties: Object.keys({ ...reader, ...objectOf(part) }),
      unevaluatedItems: Object.keys({ ...reader, ...objectOf(part) }),
    };
    const writer = objectOf(part);
    return (beside[keyword] ?? [keyword]).every(
      (name) =>
        equalJson(writer[name], reader[name]) && !JSON.stringify(reader[name] ?? null).includes('"$ref"'),
    );
  }

  private compareAdditional(
    parts: readonly Place[],
    reader: SchemaObject,
    node: SchemaNode,
    here: string,
  ): Incompatibility | null {
    const named = (reader.properties ?? {}) as Record<string, unknown>;
    if (node !== true && Object.keys(reader.patternProperties ?? {}).length > 0) {
      return parts.some((part) =>
        ['properties', 'patternProperties', 'additionalProperties'].every((name) =>
          name === 'properties'
            ? equalJson(Object.keys(objectOf(part)[name] ?? {}).sort(), Object.keys(named).sort())
            : equalJson(objectOf(part)[name], reader[name]),
        ),
      )
        ? null
        : fault('can not be decided beside patternProperties, unless both have the same', parts, here);
    }
    const target = { node, at: here };
    const names = new Set(parts.flatMap((part) => Object.keys(objectOf(part).properties ?? {})));
    for (const name of names) {
      if (Object.hasOwn(named, name)) continue;
      const found = this.compare(this.memberOf(parts, name), target);
      if (found !== null) return found;
    }
    return this.compare(this.memberOf(parts, null), target);
  }

  /** What the writer demands of a member; of the name null, of any that it does not name. */
  private memberOf(parts: readonly Place[], name: string | null): Place[] {
    return parts.flatMap((part) => {
      const { properties, additionalProperties, patternProperties } = objectOf(part);
      const named = (properties ?? {}) as Record<string, SchemaNode>;
      if (name !== null && Object.hasOwn(named, name)) {
        return [{ node: named[name]!, at: pointerTo(pointerTo(part.at, 'properties'), name) }];
      }
      // A pattern may take the name in, and then the rest says nothing of it. Of names that no part names, another part may.
      const isRest = Object.keys(patternProperties ?? {}).length === 0;
      if (additionalProperties === undefined || !isRest) return [];
      return [{ node: additionalProperties as SchemaNode, at: pointerTo(part.at, 'additionalProperties') }];
    });
  }

  private compareItems(
    parts: readonly Place[],
    reader: SchemaObject,
    at: string,
    here: string,
  ): Incompatibility | null {
    const theirs = parts.map((part) => itemsOf(objectOf(part), part.at));
    const ours = itemsOf(reader, at);
    const length = Math.max(ours.first.length, ...theirs.map(({ first: tuple }) => tuple.length));
    const longest = Math.min(
      ...parts.map((part) => (objectOf(part).maxItems as number | undefined) ?? Infinity),
      Infinity,
    );
    for (let index = 0; index <= length && index < longest; index++) {
      const writers = theirs.map((items) => items.first[index] ?? items.rest);
      const found = this.compare(writers, ours.first[index] ?? ours.rest);
      if (found !== null) return { ...found, readerPointer: found.readerPointer || here };
    }
    return null;
  }

  private conjuncts(place: Place): Place[] {
    const { node, at } = place;
    if (typeof node === 'boolean') return [place];
    const all: Place[] = [place];
    if (node.$ref !== undefined) all.push(...this.conjuncts(this.followed(this.writerRoot, node.$ref)));
    for (const [index, part] of ((node.allOf ?? []) as SchemaNode[]).entries()) {
      all.push(...this.conjuncts({ node: part, at: pointerTo(pointerTo(at, 'allOf'), index) }));
    }
    return all;
  }

  private followed(root: SchemaNode, reference: string): Place {
    const at = reference.split('/').slice(1).map(decodeURIComponent);
    return { node: resolveReference(root, reference), at: ['', ...at].join('/') };
  }

  /** A try that may fail leaves no assumptions behind, nor what rests on them. */
  private tried(run: () => Incompatibility | null): Incompatibility | null {
    const before = this.trail.length;
    const found = run();
    if (found !== null) for (const key of this.trail.splice(before)) this.assumed.delete(key);
    return found;
  }
}

/** The first of the parts that lets choose, split into its branches and all that holds whatever is chosen. */
function choiceIn(
  parts: readonly Place[],
): { readonly at: string; readonly branches: readonly SchemaNode[]; readonly others: Place[] } | null {
  for (const part of parts) {
    for (const keyword of ['anyOf', 'oneOf']) {
      const { [keyword]: branches, ...rest } = objectOf(part);
      if (branches === undefined) continue;
      const others = parts.map((other) =>
        other === part ? { node: rest, at: `${part.at}-${keyword}` } : other,
      );
      return { at: pointerTo(part.at, keyword), branches: branches as SchemaNode[], others };
    }
  }
  return null;
}

function itemsOf(node: SchemaObject, at: string): { first: Place[]; rest: Place } {
  const isOld = Array.isArray(node.items);
  const tupleName = isOld ? 'items' : 'prefixItems';
  const restName = isOld ? 'additionalItems' : 'items';
  const tuple = (node[tupleName] ?? []) as SchemaNode[];
  return {
    first: tuple.map((member, index) => ({ node: member, at: pointerTo(pointerTo(at, tupleName), index) })),
    rest: { node: (node[restName] ?? true) as SchemaNode, at: pointerTo(at, restName) },
  };
}

function objectOf({ node }: Place): SchemaObject {
  return typeof node === 'boolean' ? {} : node;
}

function mayBe(parts: readonly Place[], type: string): boolean {
  return typesOf(parts.map(objectOf)).has(type);
}

function fault(sentence: string, parts: readonly Place[], readerPointer: string): Incompatibility {
  return { fault: sentence, writerPointer: parts[0]?.at ?? '', readerPointer };
}

function first<Item>(
  items: Iterable<Item>,
  find: (item: Item) => Incompatibility | null,
): Incompatibility | null {
  for (const item of items) {
    const found = find(item);
    if (found !== null) return found;
  }
  return null;
}
