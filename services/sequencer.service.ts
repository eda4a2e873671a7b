import type { Context, ServiceSchema } from 'moleculer';
import type { ActorDirectory } from '../actors/actor-directory.ts';
import type { Clock } from '../domain/clock.ts';
import { Refused } from '../domain/errors.ts';
import { checkLegacyRequest } from '../domain/legacy/check-request.ts';
import type { LegacyRequestLimits } from '../domain/legacy/check-request.ts';
import { readLegacyRequest } from '../domain/legacy/request.ts';
import type { Sha256 } from '../domain/sha256.ts';
import type { Uuid } from '../domain/types.ts';
import { parseUuid } from '../domain/uuid.ts';
import type { EventLog } from '../storage/event-log.ts';
import { toBrokerError } from './broker-errors.ts';
import type { AppendParams, AppendReply, HeadParams, HeadReply } from './contracts.ts';
import { StoreOwnerStrategy } from './shard-strategy.ts';

export interface SequencerServiceDependencies {
  readonly directory: ActorDirectory;
  readonly log: Pick<EventLog, 'heads'>;
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly requestLimits: LegacyRequestLimits;
  readonly bodyBytesMax: number;
}

/**
 * The owner's side of an append: reads the bytes once, runs the whole-request checks, and hands the events to the
 * store's actor. `sequencer.append` is routed to the owner by the ring; `sequencer.head` is answered by any node.
 */
export function sequencerService(deps: SequencerServiceDependencies): ServiceSchema {
  return {
    name: 'sequencer',
    actions: {
      append: {
        strategy: StoreOwnerStrategy,
        handler: (ctx: Context) =>
          translated(() => append(deps, readAppendParams(ctx.params, deps.bodyBytesMax))),
      },
      head: {
        handler: (ctx: Context) => translated(() => head(deps, readHeadParams(ctx.params))),
      },
    },
    stopped: () => deps.directory.close(),
  };
}

async function append(deps: SequencerServiceDependencies, params: AppendParams): Promise<AppendReply> {
  const deadlineMs = deps.clock.monotonicMs() + params.timeLeftMs;
  const { tenantId, storeId, body, principal, requestId } = params;
  const request = readLegacyRequest(body, deps.sha256);
  checkLegacyRequest(request, principal, deps.requestLimits);
  const stray = request.events.some((event) => event.tenantId !== tenantId || event.storeId !== storeId);
  // The caller's permission was looked up for the store that the call names, and for no other.
  if (stray)
    throw new Refused('INVALID_FIELD_VALUE', 'the events belong to another store than the call names');
  const answer = await deps.directory.append(
    { tenantId, storeId },
    { world: 'legacy', requestId, events: request.events, byteCount: body.byteLength, deadlineMs },
  );
  const receipts = answer.acceptances.map(({ eventId, sequence }) => ({ eventId, sequence }));
  return {
    accepted: receipts.length,
    rejected: answer.rejections.length,
    sequenceStart: receipts[0]?.sequence ?? null,
    sequenceEnd: receipts.at(-1)?.sequence ?? null,
    head: answer.head,
    rejections: answer.rejections,
    receipts,
  };
}

async function head(deps: SequencerServiceDependencies, params: HeadParams): Promise<HeadReply> {
  const heads = await deps.log.heads(params);
  return { head: heads[params.world] };
}

async function translated<Reply>(run: () => Promise<Reply>): Promise<Reply> {
  try {
    return await run();
  } catch (error) {
    throw toBrokerError(error);
  }
}

/** Whoever reaches the transporter can call this action, so nothing about its parameters is taken on trust. */
function readAppendParams(params: unknown, bodyBytesMax: number): AppendParams {
  const given = params as Partial<AppendParams>;
  const key = readHeadParams(params);
  const requestId = readUuid(given.requestId);
  if (requestId === null) throw wrong('requestId', given.requestId, 'a UUID');
  if (key.world !== 'legacy')
    throw wrong('world', key.world, 'legacy: signed events are not served by this node');
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

function readHeadParams(params: unknown): HeadParams {
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
