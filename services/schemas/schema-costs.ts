import { applicators, type Holds } from '../../domain/schema/keywords.ts';
import type { SchemaNode, SchemaObject } from '../../domain/schema/node.ts';

/** Holds `[weight, loops]`: what `WorkBudget.spendOn` is told whenever the schema is applied. No schema of ours has it. */
export const costKeyword = '$cost';

/** Keywords by which every element or member of a value is looked at. */
const looping = new Set([
  'items',
  'additionalItems',
  'unevaluatedItems',
  'contains',
  'additionalProperties',
  'propertyNames',
  'unevaluatedProperties',
  'minProperties',
  'maxProperties',
]);

/** The same schema in which every object says what applying it costs. */
export function withCosts(given: SchemaNode): SchemaNode {
  if (typeof given === 'boolean') return given;
  const node = withContainsApart(given);
  const costed = Object.create(null) as SchemaObject;
  let weight = 1;
  let loops = 0;
  for (const [keyword, held] of Object.entries(node)) {
    const applicator = applicators.get(keyword);
    // Values that are listed are found by one look, which counts itself.
    weight += keyword === 'enum' || keyword === 'const' ? 1 : 1 + sizeOf(held);
    if (looping.has(keyword)) loops += 1;
    if (keyword === 'patternProperties') loops += Object.keys(held as object).length;
    costed[keyword] = applicator === undefined ? held : heldWithCosts(held, applicator.holds);
  }
  costed[costKeyword] = [weight, loops];
  return costed;
}

/**
 * Where an array ends before the tuple does, ajv (8.20, unless it looks for all errors) leaves out the keywords behind that of the
 * tuple; of these only `contains` has something to say then. Joined by `allOf` it is looked at before.
 */
function withContainsApart(node: SchemaObject): SchemaObject {
  const hasTuple = node.prefixItems !== undefined || Array.isArray(node.items);
  if (!hasTuple || node.contains === undefined) return node;
  const { contains, minContains, maxContains, allOf = [], ...rest } = node;
  const apart = {
    contains,
    ...(minContains !== undefined && { minContains }),
    ...(maxContains !== undefined && { maxContains }),
  };
  return { ...rest, allOf: [...(allOf as SchemaNode[]), apart] };
}

function heldWithCosts(held: unknown, holds: Holds): unknown {
  if (Array.isArray(held)) return held.map((member) => withCosts(member as SchemaNode));
  if (holds !== 'map of schemas' && holds !== 'map of schemas or names') return withCosts(held as SchemaNode);
  const map = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of Object.entries(held as object)) {
    map[name] = Array.isArray(member) ? member : withCosts(member as SchemaNode);
  }
  return map;
}

/** How many names or members a keyword lists. */
function sizeOf(held: unknown): number {
  return typeof held === 'object' && held !== null ? Object.keys(held).length : 0;
}
