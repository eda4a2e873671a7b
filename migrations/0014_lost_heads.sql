-- Heads that a node acknowledged and that the log does not hold any more, as after a restore from an older backup. While one
-- of a store is open, nothing is appended to it. Accepted ones stay, as the record of what was lost.

create table lost_heads (
  tenant_id uuid not null,
  store_id uuid not null,
  world text collate "C" not null check (world in ('legacy', 'ves')),
  -- The last event that the node acknowledged, and what it was.
  sequence bigint not null check (sequence between 1 and 9007199254740991),
  leaf_hash bytea not null check (length(leaf_hash) = 32),
  -- The term in which it did. Found heads of older terms are part of the same loss.
  epoch bigint not null check (epoch between 1 and 9007199254740991),
  -- Of the log, when it was found.
  durable_head bigint not null check (durable_head between 0 and 9007199254740991),
  node_id text not null,
  found_at timestamptz not null default now(),
  accepted_at timestamptz,
  accepted_by text,
  primary key (tenant_id, store_id, world, sequence, leaf_hash, epoch),
  check ((accepted_at is null) = (accepted_by is null))
);

-- Asked at each claim, and almost always empty.
create index lost_heads_open on lost_heads (tenant_id, store_id) where accepted_at is null;
