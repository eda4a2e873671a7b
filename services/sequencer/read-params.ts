import { Refused } from '../../domain/errors.ts';
import type { Uuid } from '../../domain/types.ts';
import { parseUuid } from '../../domain/uuid.ts';
import type { AppendParams, HeadParams } from '../contracts.ts';

/**
 * The parameters of `sequencer.append`. Whoever reaches the transporter can call it, so nothing about them is taken on
 * trust.
 * @throws Refused
 */
export function readAppendParams(params: unknown, bodyBytesMax: number): AppendParams {
  const given = params as Partial<AppendParams>;
  const key = readHeadParams(params);
  const requestId = readUuid(given.requestId);
  if (requestId === null) throw wrong('requestId', given.requestId, 'a UUID');
  if (!(given.body instanceof Uint8Array)) throw wrong('body', typeof given.body, 'bytes');
  if (given.body.byteLength > bodyBytesMax) {
    throw new Refused(
      'PAYLOAD_TOO_LARGE',
      `body has ${given.body.byteLength} bytes; at most ${bodyBytesMax} are accepted`,
    );
  }
  const { agentId, mayWrite } = (given.principal ?? {}) as Record<string, unknown>;
  if (typeof mayWrite !== 'boolean') throw wrong('principal.mayWrite', mayWrite, 'true or false');
  if (agentId !== null && readUuid(agentId) === null)
    throw wrong('principal.agentId', agentId, 'a UUID or null');
  if (typeof given.timeLeftMs !== 'number' || !(given.timeLeftMs >= 0)) {
    throw wrong('timeLeftMs', given.timeLeftMs, 'milliseconds, at least 0');
  }
  return {
    ...key,
    requestId,
    body: given.body,
    principal: { agentId: readUuid(agentId), mayWrite },
    timeLeftMs: given.timeLeftMs,
  };
}

/** The parameters of `sequencer.head`. @throws Refused */
export function readHeadParams(params: unknown): HeadParams {
  const given = (params ?? {}) as Partial<HeadParams>;
  const tenantId = readUuid(given.tenantId);
  const storeId = readUuid(given.storeId);
  if (tenantId === null) throw wrong('tenantId', given.tenantId, 'a UUID');
  if (storeId === null) throw wrong('storeId', given.storeId, 'a UUID');
  if (given.world !== 'legacy' && given.world !== 'ves') throw wrong('world', given.world, 'legacy or ves');
  return { tenantId, storeId, world: given.world };
}

function readUuid(value: unknown): Uuid | null {
  return typeof value === 'string' ? parseUuid(value) : null;
}

function wrong(field: string, value: unknown, accepted: string): Refused {
  return new Refused('INVALID_FIELD_VALUE', `${field} is ${JSON.stringify(value)}; accepted is ${accepted}`, {
    field,
  });
}
