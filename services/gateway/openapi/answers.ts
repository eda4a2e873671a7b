import type { ErrorForm } from '../error-reply.ts';
import type { Route } from '../route.ts';
import type { JsonSchema } from './shape.ts';

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** What an operation answers when all is not well. */
export interface ErrorAnswer {
  readonly status: number;
  readonly about: string;
  /** Null for an empty body. */
  readonly content: Content | null;
}

const string: JsonSchema = { type: 'string' };

/** The bodies of errors, under the names that the document gives them. */
export const errorSchemas: Readonly<Record<'GateError' | 'CodedError' | 'FlatError', JsonSchema>> = {
  GateError: {
    description: 'Said before the route has its turn, the same on every route',
    type: 'object',
    required: ['error', 'code'],
    properties: { error: string, code: string },
    additionalProperties: false,
  },
  CodedError: {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'numeric_code', 'message'],
        properties: { code: string, numeric_code: { type: 'integer' }, message: string },
        additionalProperties: false,
      },
    },
    additionalProperties: false,
  },
  FlatError: {
    type: 'object',
    required: ['success', 'error', 'code'],
    properties: { success: { const: false }, error: string, code: string },
    additionalProperties: false,
  },
};

const gate = { $ref: '#/components/schemas/GateError' };
const formSchemas = {
  coded: { $ref: '#/components/schemas/CodedError' },
  flat: { $ref: '#/components/schemas/FlatError' },
} as const;

const plain: Content = { 'text/plain': { schema: string } };

/** Every error that a route answers in the ordinary course, by status; what follows from its facts, and what it names. */
export function errorAnswers({ access, audience, errors, description }: Route): readonly ErrorAnswer[] {
  const { who, body, parameters = [], answer, refusals = {} } = description;
  const ofForm = contentOf(errors);
  const asText = errors === 'text' ? plain : { ...plain, ...ofForm };
  const found = new Map<number, ErrorAnswer>();
  const add = (status: number, about: string, content: Content | null): void => {
    const before = found.get(status);
    if (before === undefined) found.set(status, { status, about, content });
    else
      found.set(status, {
        status,
        about: `${before.about}. ${about}`,
        content: merged(before.content, content),
      });
  };
  if (access === 'protected') {
    add(401, 'The credential is missing, unknown, revoked or expired', json(gate));
    add(429, 'More requests than the tenant or the credential may make', json(gate));
    add(503, 'Not now; nothing was stored, and the same request is right after Retry-After', json(gate));
    add(503, 'So says the route, too', ofForm);
    add(504, 'No answer in time', errors === 'text' ? null : ofForm);
  }
  if (audience === 'admin') add(403, 'The address is not in ADMIN_IP_ALLOWLIST', json(gate));
  if (who !== 'everyone' && who !== 'any key')
    add(403, `The credential does not fit: ${wording[who]}`, ofForm);
  if (body !== undefined) {
    add(400, 'The body is no JSON, or has a value that is not accepted', asText);
    add(408, 'The body comes too slowly', plain);
    add(413, 'The body, or something in it, is too long', asText);
    add(415, 'The body is not announced as JSON', plain);
    add(422, 'A field is missing or of the wrong type', plain);
  }
  if (parameters.length > 0) add(400, 'A parameter is missing or not of its type', plain);
  if (errors === 'coded') add(429, 'The tenant has as many stores as it may', ofForm);
  for (const [status, sentence] of Object.entries(refusals)) add(Number(status), sentence, ofForm);
  if (answer.alsoWith !== undefined) add(answer.alsoWith, answer.about, json(answer.shape?.schema ?? {}));
  return [...found.values()].sort((one, other) => one.status - other.status);
}

/** What a credential must have, in words. */
export const wording = {
  everyone: 'no credential is asked for',
  'any key': 'any credential will do',
  read: 'it needs read permission for the tenant and the store',
  write: 'it needs write permission for the tenant and the store',
  admin: 'it needs admin permission for the tenant',
  'read or admin': 'it needs read or admin permission',
  'self or admin': 'it must be bound to the agent, or have admin permission for its tenant',
  bootstrap: 'it must be that of a bootstrap administrator',
} as const;

function contentOf(form: ErrorForm): Content {
  return form === 'text' ? plain : json(formSchemas[form]);
}

function json(schema: JsonSchema): Content {
  return { 'application/json': { schema } };
}

/** Both contents; of a media type that both have, either schema will do. */
function merged(one: Content | null, other: Content | null): Content | null {
  if (one === null || other === null) return one ?? other;
  const types = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Object.fromEntries(
    types.map((type) => {
      const schemas = [one[type]?.schema, other[type]?.schema].filter((schema) => schema !== undefined);
      return [type, { schema: schemas.length === 1 ? (schemas[0] ?? {}) : { anyOf: schemas } }];
    }),
  );
}
