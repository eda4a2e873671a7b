import { AppendOutcomeUnknown, LogUnavailable } from '../../domain/errors.ts';
import type { StoredLegacyEvent } from '../../domain/legacy/event.ts';
import {
  type CommandId,
  type EntityVersion,
  type Epoch,
  type EventId,
  type Head,
  type Heads,
  type Micros,
  type Sequence,
  storeKeyText,
  type StoreKey,
  type World,
} from '../../domain/types.ts';
import { headsAfter } from '../append-batch.ts';
import type { AppendBatch, AppendOutcome, Claim, EntityKey, EventLog, EventRef } from '../event-log.ts';

/** What the next call of an operation does: either way its caller learns nothing of the result. */
export type Fault = 'failed, not saved' | 'failed, but saved';

/**
 * The log's contract without a database: nothing survives the process. For tests and the simulator, which break one
 * call at a time. It has no clock and no chance in it, so a run can be repeated.
 */
export class MemoryEventLog implements EventLog {
  private readonly stores = new Map<string, MemoryStore>();
  private readonly faults = new Map<keyof EventLog, Fault[]>();

  /** Makes the next call of `operation` fail; faults given one after another strike one call each. */
  breakNext(operation: keyof EventLog, fault: Fault): void {
    this.faults.set(operation, [...(this.faults.get(operation) ?? []), fault]);
  }

  claim(store: StoreKey, claimant: string): Promise<Claim> {
    return this.call('claim', () => {
      const row = this.rowOf(store);
      row.epoch += 1;
      row.claimant = claimant;
      return {
        tenantId: store.tenantId,
        storeId: store.storeId,
        storeNumber: row.storeNumber,
        epoch: row.epoch as Epoch,
        heads: headsOf(row),
        lastSequencedAt: row.lastSequencedAt,
      };
    });
  }

  append(batch: AppendBatch): Promise<AppendOutcome> {
    return this.call('append', () => {
      const newHeads = headsAfter(batch);
      const row = this.rowOf(batch.claim);
      if (row.epoch !== batch.claim.epoch) {
        return { kind: 'fenced', epoch: row.epoch as Epoch, claimant: row.claimant };
      }
      const heads = headsOf(row);
      if (heads.legacy !== batch.expectedHeads.legacy || heads.ves !== batch.expectedHeads.ves) {
        return { kind: 'heads-moved', heads };
      }
      if (repeatsAnId(row, batch)) return { kind: 'conflict' };
      addEvents(row, batch);
      row.vesHead = newHeads.ves;
      if (batch.legacy.length > 0) row.lastSequencedAt = batch.sequencedAt;
      return { kind: 'appended' };
    });
  }

  findEvents(claim: Claim, world: World, eventIds: readonly EventId[]): Promise<Map<EventId, EventRef>> {
    return this.call('findEvents', () => findRefs(this.rowOf(claim).byEventId, world, eventIds));
  }

  findCommands(
    claim: Claim,
    world: World,
    commandIds: readonly CommandId[],
  ): Promise<Map<CommandId, EventRef>> {
    return this.call('findCommands', () => findRefs(this.rowOf(claim).byCommandId, world, commandIds));
  }

  entityVersions(claim: Claim, entities: readonly EntityKey[]): Promise<EntityVersion[]> {
    return this.call('entityVersions', () => {
      const { byEntity } = this.rowOf(claim);
      return entities.map((entity) => (byEntity.get(entityText(entity))?.length ?? 0) as EntityVersion);
    });
  }

  heads(store: StoreKey): Promise<Heads> {
    return this.call('heads', () => {
      const row = this.stores.get(storeKeyText(store));
      return row === undefined ? { legacy: 0 as Head, ves: 0 as Head } : headsOf(row);
    });
  }

  readLegacy(store: StoreKey, from: Sequence, to: Sequence): Promise<StoredLegacyEvent[]> {
    return this.call('readLegacy', () => this.eventsOf(store).slice(Math.max(from, 1) - 1, to));
  }

  readLegacyEntity(
    store: StoreKey,
    entity: EntityKey,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<{ events: StoredLegacyEvent[]; total: number }> {
    return this.call('readLegacyEntity', () => {
      const all = this.stores.get(storeKeyText(store))?.byEntity.get(entityText(entity)) ?? [];
      return { events: all.slice(page.offset, page.offset + page.limit), total: all.length };
    });
  }

  /** Runs the operation unless a fault comes before it, and withholds its result when one comes after it. */
  private async call<Result>(operation: keyof EventLog, run: () => Result): Promise<Result> {
    const fault = this.faults.get(operation)?.shift();
    await Promise.resolve();
    if (fault === undefined) return run();
    if (fault === 'failed, but saved') run();
    const message = `${operation} ${fault}`;
    throw operation === 'append' ? new AppendOutcomeUnknown(message) : new LogUnavailable(message);
  }

  private rowOf(store: StoreKey): MemoryStore {
    const key = storeKeyText(store);
    const row = this.stores.get(key) ?? emptyStore(this.stores.size + 1);
    this.stores.set(key, row);
    return row;
  }

  private eventsOf(store: StoreKey): readonly StoredLegacyEvent[] {
    return this.stores.get(storeKeyText(store))?.events ?? [];
  }
}

/** One fence row, and the events of its store with the indexes that the log needs. */
interface MemoryStore {
  readonly storeNumber: number;
  epoch: number;
  claimant: string;
  vesHead: Head;
  lastSequencedAt: Micros | null;
  /** Their number is the legacy head. */
  readonly events: StoredLegacyEvent[];
  readonly byEventId: Map<EventId, EventRef>;
  readonly byCommandId: Map<CommandId, EventRef>;
  readonly byEntity: Map<string, StoredLegacyEvent[]>;
}

function emptyStore(storeNumber: number): MemoryStore {
  return {
    storeNumber,
    epoch: 0,
    claimant: '',
    vesHead: 0 as Head,
    lastSequencedAt: null,
    events: [],
    byEventId: new Map(),
    byCommandId: new Map(),
    byEntity: new Map(),
  };
}

function headsOf(row: MemoryStore): Heads {
  return { legacy: row.events.length as Head, ves: row.vesHead };
}

function repeatsAnId(row: MemoryStore, batch: AppendBatch): boolean {
  const ids = batch.legacy.map(({ event }) => event.eventId);
  const commands = batch.legacy.flatMap(({ event }) => (event.commandId === null ? [] : [event.commandId]));
  return (
    new Set(ids).size < ids.length ||
    new Set(commands).size < commands.length ||
    ids.some((id) => row.byEventId.has(id)) ||
    commands.some((id) => row.byCommandId.has(id))
  );
}

function addEvents(row: MemoryStore, batch: AppendBatch): void {
  const { tenantId, storeId } = batch.claim;
  for (const { event, sequence, requestId, leafHash } of batch.legacy) {
    const { eventId, commandId, entityType, entityId, eventType, sourceAgent, createdAt } = event;
    const stored: StoredLegacyEvent = {
      ...{ tenantId, storeId, sequence, sequencedAt: batch.sequencedAt },
      ...{ eventId, commandId, entityType, entityId, eventType, sourceAgent, createdAt },
      baseVersion: event.baseVersion === null ? null : (Number(event.baseVersion) as EntityVersion),
      // Copies: the event's bytes are views into a request's body, which is not ours to keep.
      payload: event.payload.slice(),
      payloadHash: event.payloadHash,
      leafHash,
      signature: event.signature?.slice() ?? null,
    };
    row.events.push(stored);
    const ref = { eventId, sequence, requestId };
    row.byEventId.set(eventId, ref);
    if (commandId !== null) row.byCommandId.set(commandId, ref);
    const ofEntity = row.byEntity.get(entityText(event));
    if (ofEntity === undefined) row.byEntity.set(entityText(event), [stored]);
    else ofEntity.push(stored);
  }
}

/** Only the legacy world has events so far. */
function findRefs<Id>(refs: ReadonlyMap<Id, EventRef>, world: World, ids: readonly Id[]): Map<Id, EventRef> {
  const found = new Map<Id, EventRef>();
  if (world === 'ves') return found;
  for (const id of ids) {
    const ref = refs.get(id);
    if (ref !== undefined) found.set(id, ref);
  }
  return found;
}

/** JSON, since either part may hold any character that would separate them. */
function entityText({ entityType, entityId }: EntityKey): string {
  return JSON.stringify([entityType, entityId]);
}
