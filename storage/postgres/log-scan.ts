import type pg from 'pg';
import type { StoredLegacyEvent } from '../../domain/legacy/event.ts';
import type { EventId, Sequence, StoreKey, StreamKey, Uuid, World } from '../../domain/types.ts';
import type { AgentKey, AgentKeyRef } from '../../domain/ves/agent-key.ts';
import type { StoredVesEvent } from '../../domain/ves/event.ts';
import type { SequencerKey } from '../sequencer-keys.ts';
import { findAgentKey } from './queries/find-agent-key.query.ts';
import { findSequencerIdentity } from './queries/find-sequencer-identity.query.ts';
import { listSequencerKeys } from './queries/list-sequencer-keys.query.ts';
import { readLeaves } from './queries/read-leaves.query.ts';
import {
  countChunks,
  scanCommitments,
  type ScannedCommitment,
  scanNodes,
} from './queries/scan-commitments.query.ts';
import { type MiscountedEntity, scanEntities } from './queries/scan-entities.query.ts';
import {
  type EventRange,
  scanLegacyEvents,
  type ScannedRow,
  scanRepeatedIds,
  scanVesEvents,
} from './queries/scan-events.query.ts';
import { type ScannedStore, scanOrphans, scanStores } from './queries/scan-stores.query.ts';
import { read } from './query.ts';

/** A store by its number, as `streams` has it. */
export interface NumberedStore extends StoreKey {
  readonly storeNumber: number;
}

/**
 * Reads a whole database as it lies there, for those who look whether it is as it should be: nothing is taken as right, and
 * nothing is cached. All methods throw LogUnavailable when it can't be reached, and InvariantBroken when a row can't be
 * read at all.
 */
export class LogScan {
  private readonly on: Pick<pg.Pool, 'query'>;

  constructor(on: Pick<pg.Pool, 'query'>) {
    this.on = on;
  }

  /** All stores, or those of a tenant, or one. */
  stores(tenantId: Uuid | null, storeId: Uuid | null): Promise<ScannedStore[]> {
    return read(this.on, scanStores, { tenantId, storeId });
  }

  /** Store numbers that tables use and no store has. */
  orphans(): Promise<{ readonly table: string; readonly storeNumber: number }[]> {
    return read(this.on, scanOrphans, null);
  }

  vesEvents(range: EventRange): Promise<ScannedRow<StoredVesEvent>[]> {
    return read(this.on, scanVesEvents, range);
  }

  legacyEvents(range: EventRange): Promise<ScannedRow<StoredLegacyEvent>[]> {
    return read(this.on, scanLegacyEvents, range);
  }

  /** Of a stream, at most a hundred. */
  repeatedIds(
    storeNumber: number,
    world: World,
  ): Promise<{ readonly eventId: EventId; readonly sequences: readonly Sequence[] }[]> {
    return read(this.on, scanRepeatedIds[world], { storeNumber });
  }

  /** In the order of their ranges, behind the one that ends at `after`. */
  commitments(
    storeNumber: number,
    world: World,
    page: { readonly after: number; readonly limit: number },
  ): Promise<ScannedCommitment[]> {
    return read(this.on, scanCommitments, { storeNumber, world, ...page });
  }

  /** The stored leaves that there are between two sequences, 32 bytes each. */
  async leaves(stream: StreamKey & NumberedStore, from: Sequence, to: Sequence): Promise<Uint8Array> {
    const [leaves] = await read(this.on, readLeaves[stream.world], { ...stream, from, to });
    return leaves ?? new Uint8Array();
  }

  /** One chunk of the nodes above the leaves; null when it is not there. */
  async nodes(batchId: Uuid, chunk: number): Promise<Uint8Array | null> {
    const [nodes] = await read(this.on, scanNodes, { batchId, chunk });
    return nodes ?? null;
  }

  async chunkCount(batchId: Uuid): Promise<number> {
    const [count] = await read(this.on, countChunks, { batchId });
    return count ?? 0;
  }

  /** Of a store, at most a hundred. */
  miscountedEntities(storeNumber: number): Promise<MiscountedEntity[]> {
    return read(this.on, scanEntities, { storeNumber });
  }

  /** Null when no node ever made one. */
  async sequencerId(): Promise<Uuid | null> {
    const [id] = await read(this.on, findSequencerIdentity, null);
    return id ?? null;
  }

  sequencerKeys(): Promise<SequencerKey[]> {
    return read(this.on, listSequencerKeys, null);
  }

  async agentKey(ref: AgentKeyRef): Promise<AgentKey | null> {
    const [key] = await read(this.on, findAgentKey, ref);
    return key ?? null;
  }
}

export type { MiscountedEntity, ScannedCommitment, ScannedRow, ScannedStore };
