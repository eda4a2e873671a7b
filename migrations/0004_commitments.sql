-- Commitments: ranges of a stream, frozen under a Merkle root and chained to the one before.

-- One row for each stream that was ever asked for a commitment. Whoever makes one locks it and moves its end, so that
-- those who waited see that their snapshot is too old.
create table commitment_chains (
  store_number bigint not null,
  world text collate "C" not null check (world in ('legacy', 'ves')),
  -- Of the stream's last commitment; 0 before the first.
  sequence_end bigint not null default 0 check (sequence_end between 0 and 9007199254740991),
  primary key (store_number, world)
) with (fillfactor = 50);

create table commitments (
  -- The order in which lists show them.
  commitment_number bigint generated always as identity primary key,
  batch_id uuid not null unique,
  store_number bigint not null,
  world text collate "C" not null,
  sequence_start bigint not null check (sequence_start >= 1),
  sequence_end bigint not null check (sequence_end <= 9007199254740991),
  -- Where the commitment before ended; null in a stream's first, which may start anywhere.
  previous_end bigint,
  root bytea not null check (length(root) = 32),
  previous_state_root bytea not null check (length(previous_state_root) = 32),
  state_root bytea not null check (length(state_root) = 32),
  committed_at timestamptz not null,
  -- Who vouches for it; all null when the node had no signing key.
  sequencer_id uuid,
  sequencer_key_version integer,
  sequencer_signature bytea check (length(sequencer_signature) = 64),
  -- Where it was recorded on a chain, once it was; then it never changes again.
  chain_tx_hash bytea check (length(chain_tx_hash) = 32),
  chain_id bigint check (chain_id between 0 and 4294967295),
  chain_block_number bigint check (chain_block_number between 0 and 9007199254740991),
  anchored_at timestamptz,
  foreign key (store_number, world) references commitment_chains,
  -- The leaf count is an u32 in the state root.
  check (sequence_end - sequence_start between 0 and 4294967294),
  -- A chain without forks, in which each range and each state root follows from the one before: one has no predecessor,
  -- every other names one that exists and that no third names.
  unique nulls not distinct (store_number, world, previous_end),
  unique (store_number, world, sequence_end, state_root),
  foreign key (store_number, world, previous_end, previous_state_root)
    references commitments (store_number, world, sequence_end, state_root),
  check (case when previous_end is null then previous_state_root = decode(repeat('00', 32), 'hex')
              else sequence_start = previous_end + 1 end),
  check ((sequencer_id is null) = (sequencer_signature is null)
     and (sequencer_key_version is null) = (sequencer_signature is null)),
  check ((chain_id is null) = (chain_tx_hash is null) and (anchored_at is null) = (chain_tx_hash is null)
     and (chain_block_number is null or chain_tx_hash is not null))
);

create unique index commitments_start on commitments (store_number, world, sequence_start);
create index commitments_unanchored on commitments (store_number, world, commitment_number) where chain_tx_hash is null;
create index commitments_pending on commitments (world, commitment_number) where chain_tx_hash is null;

-- The nodes above the leaves, 32 bytes each, in the order in which a tree grows (domain/merkle/node-order.ts), so that a
-- proof reads the few that it needs. The leaves are those of the events.
create table commitment_nodes (
  batch_id uuid not null references commitments (batch_id) deferrable initially deferred,
  chunk integer not null check (chunk >= 0),
  nodes bytea not null check (length(nodes) between 32 and 131072 and length(nodes) % 32 = 0),
  primary key (batch_id, chunk)
);

-- Hashes don't compress, and a part of what is not compressed can be read without the rest.
alter table commitment_nodes alter column nodes set storage external;
