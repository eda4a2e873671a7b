import type pg from 'pg';
import { PayloadUnreadable } from '../../domain/errors.ts';
import type { StoredLegacyEvent } from '../../domain/legacy/event.ts';
import type { EventRow, OpenedPayload, PayloadVault } from '../payloads/payload-vault.ts';
import { entityKey, type ProjectableEvent, type Projections, stalledAfterSecs } from '../projections.ts';
import { toReadError } from './database-errors.ts';
import { advanceProjection } from './queries/advance-projection.query.ts';
import { claimDueProjections, findProjectedStream } from './queries/claim-due-projections.query.ts';
import {
  claimDeadLetter,
  claimDueDeadLetters,
  discardDeadLetter,
  findDeadLetter,
  listDeadLetters,
  noteRefusal,
} from './queries/dead-letters.query.ts';
import { deleteRejectedEvents } from './queries/delete-rejected-events.query.ts';
import {
  listProjectionProgress,
  listStalledProjections,
  projectionFigures,
} from './queries/projection-progress.query.ts';
import { readProjectableEvent, readProjectableEvents } from './queries/read-projectable-events.query.ts';
import { readProjectedEntities, readProjectedEntity } from './queries/read-projected-entities.query.ts';
import { deleteProjections, resetCheckpoint } from './queries/reset-projection.query.ts';
import { type Query, read, send } from './query.ts';
import { inTransaction } from './transaction.ts';

/** Deleting what a large store has takes its time. */
const resetTimeoutMs = 600_000;

export interface PostgresProjectionsOptions {
  readonly pool: pg.Pool;
  /** Opens the payloads of events. */
  readonly vault: PayloadVault;
  /** For how long a step keeps the stream for whoever took it. */
  readonly claimSecs: number;
  /** How long a stream must have waited to count as one that stands still; five minutes unless given. */
  readonly stalledSecs?: number;
}

/** Projections in Postgres, the primary. No method holds anything of a session, so any pooler may stand in between. */
export function postgresProjections(options: PostgresProjectionsOptions): Projections {
  const { pool, vault, claimSecs, stalledSecs = stalledAfterSecs } = options;
  const one = async <Parameters, Row>(
    query: Query<Parameters, Row>,
    parameters: Parameters,
  ): Promise<Row | null> => {
    const [row] = await read(pool, query, parameters);
    return row ?? null;
  };
  const open = (rows: readonly EventRow<StoredLegacyEvent>[]) => openEvents(vault, rows);
  return {
    claimDue: (claim) => read(pool, claimDueProjections, claim),
    find: (store) => one(findProjectedStream, store),
    readEvents: async (stream, bounds) =>
      open(await read(pool, readProjectableEvents, { ...stream, ...bounds })),
    readEvent: async ({ storeNumber }, eventId) => {
      const [event] = await open(await read(pool, readProjectableEvent, { storeNumber, eventId }));
      return event ?? null;
    },
    readEntities: async ({ storeNumber }, entities) => {
      const found =
        entities.length === 0 ? [] : await read(pool, readProjectedEntities, { storeNumber, entities });
      return new Map(found.map((entity) => [entityKey(entity), entity]));
    },
    advance: (stream, step) => one(advanceProjection, { stream, step, claimSecs }),
    reset: async (store) => {
      try {
        return await inTransaction(
          pool,
          { isolation: 'read committed', statementTimeoutMs: resetTimeoutMs },
          async (client) => {
            const storeNumbers = await send(client, resetCheckpoint, store);
            await send(client, deleteProjections, { storeNumbers });
            return storeNumbers.length > 0;
          },
        );
      } catch (error) {
        throw toReadError(error, 'reset projections');
      }
    },
    claimDueDeadLetters: (max, secs) => read(pool, claimDueDeadLetters, { max, claimSecs: secs }),
    claimDeadLetter: (id, secs) => one(claimDeadLetter, { id, claimSecs: secs }),
    noteRefusal: async (id, refusal) => {
      await read(pool, noteRefusal, { id, ...refusal });
    },
    discardDeadLetter: (id) => one(discardDeadLetter, { id }),
    findDeadLetter: (id) => one(findDeadLetter, { id }),
    listDeadLetters: (filter, page) => read(pool, listDeadLetters(filter), { filter, page }),
    readEntity: async (store, entity) => (await one(readProjectedEntity, { ...store, ...entity })) ?? nothing,
    listStreams: (tenantId, storeId, limit) =>
      read(pool, listProjectionProgress, { tenantId, storeId, limit }),
    listStalledStreams: (tenantId, storeId, limit) =>
      read(pool, listStalledProjections, { tenantId, storeId, limit, stalledSecs }),
    figures: async () => (await one(projectionFigures, { stalledSecs })) ?? noFigures,
    deleteOldRefusals: async (rule) => (await read(pool, deleteRejectedEvents, rule)).length,
  };
}

const nothing = { entity: null, projectedTo: 0, rebuildingTo: null };
const noFigures = { lagMax: 0, stalled: 0, stalledSecsMax: 0, pending: 0, failed: 0, due: 0 };

/**
 * Events with what can be read of their payloads. One that was destroyed or damaged is the event's fault, and the stream goes
 * on without it; one that this node lacks the key for is not, and the stream waits for a node that has it.
 * @throws PayloadUnreadable
 */
async function openEvents(
  vault: PayloadVault,
  rows: readonly EventRow<StoredLegacyEvent>[],
): Promise<ProjectableEvent[]> {
  const opened = await vault.openEach('legacy', rows);
  return rows.map(({ event }, index) => {
    const { sequence, eventId, entityType, entityId, eventType, baseVersion } = event;
    const facts = { sequence, eventId, entityType, entityId, eventType, baseVersion };
    return { ...facts, ...payloadOf(opened[index]!, event) };
  });
}

function payloadOf(
  opened: OpenedPayload,
  { tenantId, storeId, sequence }: StoredLegacyEvent,
): Pick<ProjectableEvent, 'payload' | 'payloadFault'> {
  switch (opened.kind) {
    case 'payload':
      return { payload: opened.payload, payloadFault: null };
    case 'erased':
      return { payload: null, payloadFault: 'the payload is erased' };
    case 'damaged':
      return { payload: null, payloadFault: `the payload is damaged: ${opened.reason}` };
    case 'unreadable':
      throw new PayloadUnreadable(`event ${sequence}: ${opened.reason}`, { tenantId, storeId, sequence });
  }
}
