import type pg from 'pg';
import type { StreamKey, World } from '../../domain/types.ts';
import { worldColumns } from '../../storage/postgres/world-columns.ts';

/** Puts `count` events more into a stream by SQL, with right leaves: as appends would, but for the time they take. */
export async function fillStream(
  on: Pick<pg.Client, 'query'>,
  { tenantId, storeId, world }: StreamKey,
  count: number,
  { entities = 50, ageSecs = 0 }: { entities?: number; ageSecs?: number } = {},
): Promise<void> {
  const { events, head, leafOf } = worldColumns[world];
  const { names, made } = madeUp[world];
  await on.query(
    `insert into streams (tenant_id, store_id, epoch, claimant) values ($1, $2, 1, 'test')
     on conflict (tenant_id, store_id) do nothing`,
    [tenantId, storeId],
  );
  await on.query(
    `with store as (
       update streams set ${head} = ${head} + $3 where tenant_id = $1 and store_id = $2
       returning store_number, ${head} as head)
     insert into ${events} (store_number, sequence, sequenced_at, created_at, entity_hash, event_id, source_agent,
            request_id, entity_type, entity_id, event_type, payload, leaf_hash, ${names})
     select e.store_number, e.sequence, now() - make_interval(secs => $5), now(), 0, e.id, e.id, e.id,
            e.entity_type, e.entity_id, 'made.up', '{}', ${leafOf('uuid_send($1) || uuid_send($2)')}, ${names}
       from (select store_number, n as sequence, gen_random_uuid() as id, 'type' || n % 3 as entity_type,
                    'entity-' || n % $4 as entity_id, ${made}
               from store, generate_series(head - $3::bigint + 1, head) as n) as e`,
    [tenantId, storeId, count, entities, ageSecs],
  );
}

/** The columns that only one world has, from the sequence `n`. */
const madeUp: Readonly<Record<World, { readonly names: string; readonly made: string }>> = {
  legacy: { names: 'payload_hash', made: 'sha256(int8send(n)) as payload_hash' },
  ves: {
    names: `agent_key_id, ves_version, payload_kind, created_at_text, payload_plain_hash, signing_hash,
      agent_signature`,
    made: `1 as agent_key_id, 1 as ves_version, 0 as payload_kind, '2025-12-20T18:31:22Z' as created_at_text,
      sha256(int8send(n)) as payload_plain_hash, sha256(int8send(-n)) as signing_hash,
      sha256(int8send(n)) || sha256(int8send(n + 1)) as agent_signature`,
  },
};
