import type { Shape } from './shape.ts';

/** The parts of the API, in the order in which the reference shows them. */
export const tags = {
  events: 'Unsigned events: the legacy stream of a store',
  ves: 'Signed events: the VES stream of a store, with receipts',
  commitments: 'Commitments to ranges of a stream, and proofs that events are in them',
  anchoring: 'Where commitments stand on a chain',
  keys: 'The public keys that agents and the sequencer sign with',
  access: 'API keys of agents and tenants',
  schemas: 'What payloads must look like',
  projections: 'What unsigned events add up to, and those that were refused',
  administration: 'What administrators look at',
  node: 'How a node is, and this reference',
} as const;

/** Whom a route answers; everyone else who has a valid credential gets 403. */
export type Who =
  'everyone' | 'any key' | 'read' | 'write' | 'admin' | 'read or admin' | 'self or admin' | 'bootstrap';

export interface ParameterDescription {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly about: string;
  readonly required: boolean;
  readonly shape: Shape;
  /** What makes the value: a member of the answer of another operation. The example is then only one of its kind. */
  readonly from?: ValueSource;
  /** Whether the example has it although it is not required. */
  readonly inExample?: true;
}

export interface ValueSource {
  readonly operation: string;
  /** JSON pointer into the answer. */
  readonly pointer: string;
}

/** What an operation answers when all is well, with status 200. */
export interface AnswerDescription {
  readonly about: string;
  /** Null for what is no JSON. */
  readonly shape: Shape | null;
  /** `application/json` unless it says otherwise. */
  readonly contentType?: string;
  /** A status with which the same is answered when what it tells is bad. */
  readonly alsoWith?: number;
}

/** What the reference says of a route. Nothing else is told there that the route table does not say already. */
export interface RouteDescription {
  /** Unique, and never changed: clients are generated with it. */
  readonly id: string;
  readonly tag: keyof typeof tags;
  readonly summary: string;
  readonly who: Who;
  readonly parameters?: readonly ParameterDescription[];
  readonly body?: Shape;
  readonly answer: AnswerDescription;
  /** What else it answers, beside what follows from the other facts: when, by status. */
  readonly refusals?: Readonly<Record<number, string>>;
  /** Operations whose examples must have run for the example of this one to work. */
  readonly needs?: readonly string[];
}

export function pathParameter(
  name: string,
  about: string,
  shape: Shape,
  from?: ValueSource,
): ParameterDescription {
  return { name, in: 'path', about, required: true, shape, ...(from && { from }) };
}

export function queryParameter(
  name: string,
  about: string,
  shape: Shape,
  from?: ValueSource,
): ParameterDescription {
  return { name, in: 'query', about, required: true, shape, ...(from && { from }) };
}

export function optionalQuery(name: string, about: string, shape: Shape): ParameterDescription {
  return { name, in: 'query', about, required: false, shape };
}
