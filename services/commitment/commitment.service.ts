import type { Context, ServiceBroker, ServiceSchema } from 'moleculer';
import { Refused } from '../../domain/errors.ts';
import type { StreamKey, Uuid } from '../../domain/types.ts';
import { parseUuid } from '../../domain/uuid.ts';
import { toBrokerError } from '../broker-errors.ts';
import type { Committer } from './committer.ts';

/** `commitment.create`: freezes a range of one stream; any node can. */
export interface CreateCommitmentParams extends StreamKey {
  /** Decimal, since a caller's u64 may be more than a number holds. */
  readonly sequenceStart: string;
  readonly sequenceEnd: string;
}

/** The commitment is durable, so whoever asked reads the rest from the log. */
export interface CreateCommitmentReply {
  readonly batchId: Uuid;
}

export interface CommitmentServiceDependencies {
  readonly committer: Committer;
}

/** Makes commitments on request. */
export function commitmentService({ committer }: CommitmentServiceDependencies): ServiceSchema {
  return {
    name: 'commitment',
    actions: {
      create: {
        async handler(ctx: Context): Promise<CreateCommitmentReply> {
          try {
            const { stream, start, end } = readParams(ctx.params);
            const { batchId } = await committer.commit(stream, { start, end });
            return { batchId };
          } catch (error) {
            throw toBrokerError(error);
          }
        },
      },
    },
  };
}

export interface CommitmentClient {
  /** Rejects with what `readError` understands. */
  create(params: CreateCommitmentParams, timeLeftMs: number): Promise<CreateCommitmentReply>;
}

/** The way to `commitment.create` for the gateway. */
export function commitmentClient(
  broker: Pick<ServiceBroker, 'call'>,
  callTimeoutMs: number,
): CommitmentClient {
  return {
    create: (params, timeLeftMs) =>
      broker.call<CreateCommitmentReply, CreateCommitmentParams>('commitment.create', params, {
        timeout: Math.min(timeLeftMs, callTimeoutMs),
        retries: 0,
      }),
  };
}

/** Whoever reaches the transporter can call the action, so nothing about its parameters is taken on trust. */
function readParams(params: unknown): { stream: StreamKey; start: bigint; end: bigint } {
  const { tenantId, storeId, world, sequenceStart, sequenceEnd } = (params ?? {}) as Record<string, unknown>;
  if (world !== 'legacy' && world !== 'ves') throw wrong('world', 'legacy or ves');
  return {
    stream: { tenantId: readUuid('tenantId', tenantId), storeId: readUuid('storeId', storeId), world },
    start: readU64('sequenceStart', sequenceStart),
    end: readU64('sequenceEnd', sequenceEnd),
  };
}

function readUuid(field: string, value: unknown): Uuid {
  const uuid = typeof value === 'string' ? parseUuid(value) : null;
  if (uuid === null) throw wrong(field, 'a UUID');
  return uuid;
}

function readU64(field: string, value: unknown): bigint {
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) throw wrong(field, 'a u64 in decimal digits');
  return BigInt(value);
}

function wrong(field: string, accepted: string): Refused {
  return new Refused('INVALID_FIELD_VALUE', `${field} must be ${accepted}`, { field });
}
