import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { StoreKey, TenantId } from '../../domain/types.ts';
import { entityHash } from '../../storage/postgres/entity-hash.ts';
import { migrate } from '../../storage/postgres/migrate.ts';
import { newUuid } from '../crypto/made-up.ts';
import { copyRows, RowEncoder, type RowEntity, rowEntityType } from '../ingest/row-encoder.ts';
import { samplePayloads } from '../load/request-template.ts';
import { runCopy } from '../storage/copy-in.ts';
import { withClient } from '../target/postgres.ts';

export interface HistoryPlan {
  readonly events: number;
  readonly stores: number;
  readonly payload: string;
  readonly onProgress: (events: number) => void;
}

const entitiesOfStore = 10_000;
const rowsPerCopy = 5_000;
const sessions = 2;

/**
 * Stores with a past: events in their tables, heads, and counts of entities, as years of appends would have left them.
 * @returns the tenant and its stores
 */
export async function fillHistory(
  url: string,
  { events, stores: storeCount, payload, onProgress }: HistoryPlan,
): Promise<{ readonly tenantId: TenantId; readonly storeIds: readonly string[] }> {
  await migrate({ url });
  const tenantId = newUuid();
  const eventsEach = Math.floor(events / storeCount);
  const entities = Array.from({ length: Math.min(entitiesOfStore, eventsEach) }, (_, number): RowEntity => {
    const id = `order-${number}`;
    return { id, hash: entityHash({ entityType: rowEntityType, entityId: id }) };
  });
  const payloads = samplePayloads(payload, 500).map((text) => Buffer.from(text));
  const waiting: StoreKey[] = Array.from({ length: storeCount }, () => ({ tenantId, storeId: newUuid() }));
  const storeIds = waiting.map(({ storeId }) => storeId);
  let copied = 0;
  const fill = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      // Nothing here is acknowledged to anyone.
      await client.query('set synchronous_commit = off');
      for (let store = waiting.pop(); store !== undefined; store = waiting.pop()) {
        const storeNumber = await openStore(client, store, eventsEach, entities);
        const encoder = new RowEncoder({ storeNumber, payloads, entities });
        let left = eventsEach;
        let rows = encoder.encode(Math.min(rowsPerCopy, left));
        while (left > 0) {
          const count = Math.min(rowsPerCopy, left);
          left -= count;
          const copying = runCopy(client, copyRows, rows);
          // The next rows are encoded while these are on their way.
          if (left > 0) rows = encoder.encode(Math.min(rowsPerCopy, left));
          await copying;
          onProgress((copied += count));
        }
      }
    } finally {
      await client.end();
    }
  };
  await Promise.all(Array.from({ length: sessions }, fill));
  await withClient(url, (client) => client.query('vacuum (analyze) legacy_events'));
  await withClient(url, (client) => client.query('checkpoint'));
  return { tenantId, storeIds };
}

/** The store's row with the head that it will have, and its entities as if each event had been counted. */
async function openStore(
  client: pg.Client,
  { tenantId, storeId }: StoreKey,
  events: number,
  entities: readonly RowEntity[],
): Promise<number> {
  const { rows } = await client.query<{ store_number: string }>(
    `insert into streams (tenant_id, store_id, epoch, claimant, legacy_head, last_sequenced_at)
     values ($1, $2, 1, $3, $4, now()) returning store_number`,
    [tenantId, storeId, `fill-${randomUUID()}`, events],
  );
  const storeNumber = Number(rows[0]!.store_number);
  await client.query('insert into entity_watermarks (store_number, legacy_sequence) values ($1, $2)', [
    storeNumber,
    events,
  ]);
  await client.query(
    `insert into entity_counts (store_number, entity_hash, entity_type, entity_id, legacy_count)
     select $1, hash, $2, id, $5 / cardinality($3::text[]) from unnest($3::text[], $4::bigint[]) as e (id, hash)`,
    [
      storeNumber,
      rowEntityType,
      entities.map(({ id }) => id),
      entities.map(({ hash }) => String(hash)),
      events,
    ],
  );
  return storeNumber;
}
