-- The fence row of each store, the unsigned events, and how many of them each entity has.
-- docs/adr/0001-storage-layout.md says why the tables and indexes are as they are.

create table streams (
  -- Short name of (tenant, store) in every event and index entry.
  store_number bigint generated always as identity primary key,
  tenant_id uuid not null,
  store_id uuid not null,
  -- The term of the owner; an append that names an older one takes no effect.
  epoch bigint not null check (epoch between 1 and 9007199254740991),
  claimant text not null,
  claimed_at timestamptz not null default now(),
  legacy_head bigint not null default 0 check (legacy_head between 0 and 9007199254740991),
  ves_head bigint not null default 0 check (ves_head between 0 and 9007199254740991),
  -- Of the last event of either world: the next owner's clock may not go behind it.
  last_sequenced_at timestamptz,
  unique (tenant_id, store_id)
  -- Every append updates its row. With room in the page and no index on what changes, the update stays in the page
  -- (HOT), and dead versions go away without vacuum.
) with (fillfactor = 25, autovacuum_vacuum_threshold = 1000);

-- No foreign key to streams: rows come only through the fence, and a check for every event costs too much.
create table legacy_events (
  store_number bigint not null,
  sequence bigint not null check (sequence between 1 and 9007199254740991),
  sequenced_at timestamptz not null,
  created_at timestamptz not null,
  -- First 8 bytes of SHA-256 over the entity's type and id; those who look up by it compare type and id as well.
  entity_hash bigint not null,
  base_version bigint check (base_version between 0 and 9007199254740991),
  event_id uuid not null,
  command_id uuid,
  source_agent uuid not null,
  -- The client request that brought the event: a retry inside the cluster must not look like a duplicate.
  request_id uuid not null,
  -- Which key encrypts the payload; null when it is stored as received.
  encryption_key_number smallint,
  entity_type text collate "C" not null,
  entity_id text collate "C" not null,
  event_type text collate "C" not null,
  payload_hash bytea not null check (length(payload_hash) = 32),
  leaf_hash bytea not null check (length(leaf_hash) = 32),
  signature bytea,
  -- The JSON text as received: legacy hashes cover the number tokens as they were written.
  payload bytea not null,
  primary key (store_number, sequence)
);

create unique index legacy_events_event_id on legacy_events (store_number, event_id);
create unique index legacy_events_command_id on legacy_events (store_number, command_id) where command_id is not null;
create index legacy_events_entity on legacy_events (store_number, entity_hash, sequence);

-- How far the events of a store are counted in entity_counts. Not in streams: counting takes longer than an append,
-- which must not wait for it. A store without a row has nothing counted yet.
create table entity_watermarks (
  store_number bigint primary key,
  legacy_sequence bigint not null default 0,
  ves_sequence bigint not null default 0
) with (fillfactor = 50);

-- Events of each entity up to the watermark. What comes after it is counted when asked for, so a version is exact at
-- every moment, and both tables could be emptied without changing any answer.
create table entity_counts (
  store_number bigint not null,
  entity_hash bigint not null,
  entity_type text collate "C" not null,
  entity_id text collate "C" not null,
  legacy_count bigint not null default 0,
  ves_count bigint not null default 0,
  primary key (store_number, entity_hash, entity_type, entity_id)
) with (fillfactor = 70);

-- Payloads for people who write SQL. jsonb can't hold everything that JSON text can (\u0000, a number beyond its range):
-- such a payload is null here, rather than an error that hides all the others.
create function jsonb_or_null(text_bytes bytea) returns jsonb
language plpgsql immutable strict parallel safe as $$
begin
  return convert_from(text_bytes, 'UTF8')::jsonb;
exception when data_exception or program_limit_exceeded or statement_too_complex then
  return null;
end
$$;

create view legacy_events_readable as
  select s.tenant_id, s.store_id, e.sequence, e.sequenced_at, e.created_at, e.event_id, e.command_id, e.source_agent,
         e.request_id, e.entity_type, e.entity_id, e.event_type, e.base_version,
         encode(e.payload_hash, 'hex') as payload_hash, encode(e.leaf_hash, 'hex') as leaf_hash,
         case when e.encryption_key_number is null then jsonb_or_null(e.payload) end as payload
    from legacy_events e join streams s using (store_number);
