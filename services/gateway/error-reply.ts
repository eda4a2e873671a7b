import type { RefusalCode } from '../../domain/errors.ts';
import type { RateVerdict } from '../limits/rate-limiter.ts';
import { type ErrorReading, readError } from '../broker-errors.ts';
import type { AuthFailure } from './authenticate.ts';
import { emptyReply, jsonReply, type Reply, textReply, withStatus } from './reply.ts';

/**
 * How a route words its errors:
 * - `coded`: `{"error":{"code","numeric_code","message"}}` and the header `x-error-code`;
 * - `flat`: `{"success":false,"error","code"}`, on the routes of keys and administration;
 * - `text`: a sentence as plain text.
 *
 * What is wrong with a request before its route has a say (media type, length, JSON, query) is plain text everywhere.
 */
export type ErrorForm = 'coded' | 'flat' | 'text';

const numericCodes = {
  INVALID_FIELD_VALUE: 3003,
  PAYLOAD_TOO_LARGE: 3004,
  INSUFFICIENT_PERMISSIONS: 1005,
  QUOTA_EXCEEDED: 2002,
  TENANT_ERASED: 4006,
  SERVICE_UNAVAILABLE: 8002,
  TIMEOUT: 8003,
  INTERNAL_ERROR: 8999,
} as const;

type WireCode = keyof typeof numericCodes;

interface Refusal {
  readonly status: number;
  /** The codes of the two structured forms; without one the reply is plain text in that form. */
  readonly coded?: WireCode;
  readonly flat?: string;
}

const refusals: Readonly<Record<RefusalCode, Refusal>> = {
  UNREADABLE_JSON: { status: 400 },
  INVALID_QUERY: { status: 400 },
  BODY_TOO_SLOW: { status: 408 },
  BODY_TOO_LONG: { status: 413 },
  WRONG_MEDIA_TYPE: { status: 415 },
  WRONG_SHAPE: { status: 422 },
  INVALID_FIELD_VALUE: { status: 400, coded: 'INVALID_FIELD_VALUE', flat: 'INVALID_FIELD_VALUE' },
  INSUFFICIENT_PERMISSIONS: { status: 403, coded: 'INSUFFICIENT_PERMISSIONS', flat: 'FORBIDDEN' },
  NOT_FOUND: { status: 404, flat: 'NOT_FOUND' },
  CONFLICT: { status: 409, flat: 'CONFLICT' },
  TENANT_ERASED: { status: 410, coded: 'TENANT_ERASED', flat: 'TENANT_ERASED' },
  PAYLOAD_TOO_LARGE: { status: 413, coded: 'PAYLOAD_TOO_LARGE', flat: 'PAYLOAD_TOO_LARGE' },
  QUOTA_EXCEEDED: { status: 429, coded: 'QUOTA_EXCEEDED', flat: 'QUOTA_EXCEEDED' },
};

/** Also what a code means that only a newer node knows: the request is wrong, and its sentence says how. */
const unknownRefusal = refusals.INVALID_FIELD_VALUE;

/** Only a refusal's own sentence goes out: those of other errors may tell about the inside. */
export function errorReply(error: unknown, form: ErrorForm): Reply {
  const reading = readError(error);
  switch (reading?.kind) {
    case 'rejected':
      return refusalReply(reading.code, reading.message, form);
    case 'pushback':
    case 'fenced':
      return unavailableReply(form, reading);
    case 'unknown':
      return timeoutReply(form);
    default:
      return failureReply(form);
  }
}

/** The time ran out; whether anything took effect is not known. */
export function timeoutReply(form: ErrorForm): Reply {
  if (form === 'text') return emptyReply(504);
  const sentence =
    'no answer in time; it is not known whether the events were stored: send the same event ids again';
  return structuredReply(form, 504, 'TIMEOUT', sentence);
}

/** The client's address is not in ADMIN_IP_ALLOWLIST. */
export function adminAddressRefusal(): Reply {
  const error = 'this address may not reach what is for administrators';
  return withStatus(jsonReply({ error, code: 'ADMIN_IP_DENIED' }), 403);
}

/** The tenant or the credential made more requests than it may. */
export function rateLimitedReply({ limit, resetSecs }: RateVerdict): Reply {
  const error = `more than the ${limit} requests that are allowed; the count starts anew in ${resetSecs} s`;
  return withStatus(jsonReply({ error, code: 'rate_limited' }), 429, { 'retry-after': String(resetSecs) });
}

/** As the gate answers, on every route. */
export function poolExhaustedReply(): Reply {
  const error = 'the database has more to do than it can at the moment; nothing was stored, try again';
  return withStatus(jsonReply({ error, code: 'pool_exhausted' }), 503, { 'retry-after': '1' });
}

/** On every answer to a caller for whom a limit holds; of several limits, the one that is met first. */
export function rateLimitHeaders({ limit, remaining, resetSecs }: RateVerdict): Record<string, string> {
  return {
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(resetSecs),
  };
}

/** The gate's own form, the same on every route. */
export function authFailureReply(failure: AuthFailure): Reply {
  const { status, error } = authFailures[failure];
  return withStatus(
    jsonReply({ error, code: failure }),
    status,
    status === 503 ? { 'retry-after': '1' } : {},
  );
}

const authFailures: Readonly<Record<AuthFailure, { readonly status: number; readonly error: string }>> = {
  missing_auth: {
    status: 401,
    error:
      'send an API key as "Authorization: ApiKey <key>" or as "X-API-Key: <key>", or a token as "Authorization: Bearer <token>"',
  },
  invalid_api_key: { status: 401, error: 'this API key is unknown or no longer active' },
  invalid_jwt: {
    status: 401,
    error:
      'this bearer token is not one that this node accepts: it needs JWT_SECRET, its signature, issuer, audience and claims must fit, and API keys go with the scheme ApiKey',
  },
  token_expired: { status: 401, error: 'this bearer token has expired; get a new one' },
  auth_backend_unavailable: { status: 503, error: 'API keys can not be checked at the moment; try again' },
};

function refusalReply(code: string, sentence: string, form: ErrorForm): Reply {
  const refusal = Object.hasOwn(refusals, code) ? refusals[code as RefusalCode] : unknownRefusal;
  if (form === 'coded' && refusal.coded !== undefined)
    return codedReply(refusal.status, refusal.coded, sentence);
  if (form === 'flat' && refusal.flat !== undefined) return flatReply(refusal.status, refusal.flat, sentence);
  return textReply(refusal.status, sentence);
}

/** Pushback that does not pass by itself. */
const seenToByPeople: ReadonlySet<string> = new Set(['PAYLOAD_UNREADABLE', 'LOG_ROLLED_BACK']);

function unavailableReply(form: ErrorForm, { code, message, retryAfterSecs }: ErrorReading): Reply {
  const passing = 'not at the moment; nothing was stored, and sending the same request again is right';
  // Another node may do better, but someone must see to this one: the sentence says what is missing.
  const sentence = seenToByPeople.has(code) ? message : passing;
  const reply = structuredReply(form, 503, 'SERVICE_UNAVAILABLE', sentence);
  return withStatus(reply, 503, { 'retry-after': String(retryAfterSecs ?? 1) });
}

function failureReply(form: ErrorForm): Reply {
  const sentence = 'the server failed; its log says why under the x-request-id of this response';
  return structuredReply(form, 500, 'INTERNAL_ERROR', sentence);
}

function structuredReply(form: ErrorForm, status: number, code: WireCode, sentence: string): Reply {
  if (form === 'coded') return codedReply(status, code, sentence);
  return form === 'flat' ? flatReply(status, code, sentence) : textReply(status, sentence);
}

function codedReply(status: number, code: WireCode, message: string): Reply {
  const reply = jsonReply({ error: { code, numeric_code: numericCodes[code], message } });
  return withStatus(reply, status, { 'x-error-code': code });
}

/** For handlers of `flat` routes that refuse with a code of their own. */
export function flatReply(status: number, code: string, error: string): Reply {
  return withStatus(jsonReply({ success: false, error, code }), status);
}
