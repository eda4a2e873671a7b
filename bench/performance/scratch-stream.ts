import { randomBytes } from 'node:crypto';
import type { StoredCommitment } from '../../storage/commitment-log.ts';
import type { Claim, EntityKey, EventLog } from '../../storage/event-log.ts';
import { noStateRoot } from '../../domain/commitment.ts';
import type { LegacyEvent } from '../../domain/legacy/event.ts';
import type { Sequenced } from '../../domain/sequencing/decision.ts';
import type { Hash, Head, Micros, RequestId, Sequence, StoreKey, StreamKey } from '../../domain/types.ts';
import { migrate } from '../../storage/postgres/migrate.ts';
import { PostgresCommitmentLog } from '../../storage/postgres/postgres-commitment-log.ts';
import { insertCommitment } from '../../storage/postgres/queries/insert-commitment.query.ts';
import { startChain } from '../../storage/postgres/queries/lock-chain.query.ts';
import { read } from '../../storage/postgres/query.ts';
import { openTestLog } from '../../test/support/postgres-event-log.ts';
import { newStream, newUuid } from '../crypto/made-up.ts';
import { samplePayloads } from '../load/request-template.ts';

export type CommittedRange = Pick<StoredCommitment, 'batchId' | 'sequenceEnd' | 'stateRoot'>;

/** A stream with some history, and what a node asks the log about it. */
export interface ScratchStream {
  readonly log: EventLog;
  readonly commitments: PostgresCommitmentLog;
  readonly store: StoreKey;
  readonly stream: StreamKey;
  /** The head before anything was measured. */
  readonly filled: number;
  readonly entities: number;
  /** The oldest first. */
  readonly committed: readonly CommittedRange[];
  entityOf(number: number): EntityKey;
  /** Appends so many events of 1 KB in one batch. */
  append(events: number): Promise<void>;
  /** Adds the row of a commitment of the next ten events. */
  insertCommitment(root: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

const eventsOfEntity = 100;
const fillBatch = 500;
const commitmentEvents = 10;
const samples = 500;

/** @throws InvariantBroken, LogUnavailable as the log does */
export async function openScratchStream(
  url: string,
  { events, commitments: commitmentCount }: { readonly events: number; readonly commitments: number },
): Promise<ScratchStream> {
  await migrate({ url });
  const opened = await openTestLog(url);
  const { log, pool } = opened;
  const stream = newStream('legacy');
  const { tenantId, storeId } = stream;
  const store: StoreKey = { tenantId, storeId };
  const claim = await log.claim(store, 'bench');
  const entities = Math.max(1, Math.floor(events / eventsOfEntity));
  const entityOf = (number: number): EntityKey => ({ entityType: 'order', entityId: `order-${number}` });
  const appender = new Appender(log, claim, (sequence) => entityOf(1 + (sequence % entities)));
  for (let filled = 0; filled < events; filled += fillBatch)
    await appender.append(Math.min(fillBatch, events - filled));
  await read(pool, startChain, stream);
  const committed: CommittedRange[] = [];
  const addCommitment = async (root: Uint8Array): Promise<void> => {
    const previous = committed.at(-1);
    const sequenceStart = ((previous?.sequenceEnd ?? 0) + 1) as Sequence;
    const [added] = await read(pool, insertCommitment, {
      storeNumber: claim.storeNumber,
      world: 'legacy',
      batchId: newUuid(),
      previousEnd: previous?.sequenceEnd ?? null,
      sequenceStart,
      sequenceEnd: (sequenceStart + commitmentEvents - 1) as Sequence,
      leafCount: commitmentEvents,
      root: root as Hash,
      previousStateRoot: previous?.stateRoot ?? noStateRoot,
      stateRoot: new Uint8Array(randomBytes(32)) as Uint8Array as Hash,
      signature: null,
    });
    committed.push(added!);
  };
  for (let made = 0; made < commitmentCount; made++) await addCommitment(new Uint8Array(randomBytes(32)));
  await pool.query('vacuum analyze');
  return {
    log,
    commitments: new PostgresCommitmentLog(pool),
    ...{ store, stream, filled: events, entities, committed, entityOf },
    append: (count) => appender.append(count),
    insertCommitment: addCommitment,
    close: () => opened.close(),
  };
}

/** Appends to one store as its owner does. */
class Appender {
  private readonly log: EventLog;
  private readonly claim: Claim;
  private readonly entityAt: (sequence: number) => EntityKey;
  private readonly payloads = samplePayloads('nested-1k', samples).map((text) => Buffer.from(text));
  private head = 0;

  constructor(log: EventLog, claim: Claim, entityAt: (sequence: number) => EntityKey) {
    this.log = log;
    this.claim = claim;
    this.entityAt = entityAt;
  }

  async append(count: number): Promise<void> {
    const sequencedAt = (BigInt(Date.now()) * 1_000n) as Micros;
    const requestId = newUuid();
    const outcome = await this.log.append({
      claim: this.claim,
      expectedHeads: { legacy: this.head as Head, ves: 0 as Head },
      sequencedAt,
      legacy: Array.from({ length: count }, (_, index) => {
        const sequence = this.head + index + 1;
        return this.eventAt(sequence as Sequence, sequencedAt, requestId);
      }),
      ves: [],
    });
    if (outcome.kind !== 'appended') throw new Error(`an append was answered with ${outcome.kind}`);
    this.head += count;
  }

  private eventAt(sequence: Sequence, createdAt: Micros, requestId: RequestId): Sequenced<LegacyEvent> {
    const hash = new Uint8Array(randomBytes(32)) as Uint8Array as Hash;
    const agent = newUuid() as string;
    const event: LegacyEvent = {
      ...this.entityAt(sequence),
      eventId: newUuid(),
      commandId: null,
      eventType: 'order.updated',
      sourceAgent: agent as LegacyEvent['sourceAgent'],
      createdAt,
      baseVersion: null,
      payload: this.payloads[sequence % samples]!,
      payloadHash: hash,
      payloadHashDiffers: false,
      signature: null,
    };
    return { sequence, requestId, event, leafHash: hash };
  }
}
