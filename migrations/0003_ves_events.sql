-- The signed events, in an order of their own. Columns and indexes follow legacy_events, see there.

create table ves_events (
  store_number bigint not null,
  sequence bigint not null check (sequence between 1 and 9007199254740991),
  sequenced_at timestamptz not null,
  created_at timestamptz not null,
  entity_hash bigint not null,
  base_version bigint,
  event_id uuid not null,
  command_id uuid,
  source_agent uuid not null,
  request_id uuid not null,
  agent_key_id bigint not null check (agent_key_id between 0 and 4294967295),
  -- Which key of the sequencer signed the receipt; null when receipts were not signed.
  receipt_key_version integer,
  signature_scheme integer,
  encryption_key_number smallint,
  ves_version smallint not null,
  -- 0 plain, 1 encrypted by the agent.
  payload_kind smallint not null check (payload_kind in (0, 1)),
  entity_type text collate "C" not null,
  entity_id text collate "C" not null,
  event_type text collate "C" not null,
  -- As received: the signature covers this text, not the instant.
  created_at_text text collate "C" not null,
  payload_plain_hash bytea not null check (length(payload_plain_hash) = 32),
  -- Null for a plain payload, whose cipher hash is all zeros.
  payload_cipher_hash bytea check (length(payload_cipher_hash) = 32),
  signing_hash bytea not null check (length(signing_hash) = 32),
  leaf_hash bytea not null check (length(leaf_hash) = 32),
  agent_signature bytea not null check (length(agent_signature) = 64),
  receipt_signature bytea check (length(receipt_signature) = 64),
  -- The JSON text of the payload, or of the encrypted payload's structure, as received.
  payload bytea not null,
  primary key (store_number, sequence),
  check ((receipt_signature is null) = (receipt_key_version is null))
);

create unique index ves_events_event_id on ves_events (store_number, event_id);
create unique index ves_events_command_id on ves_events (store_number, command_id) where command_id is not null;
create index ves_events_entity on ves_events (store_number, entity_hash, sequence);

-- The public keys with which agents sign.
create table agent_keys (
  tenant_id uuid not null,
  agent_id uuid not null,
  key_id bigint not null check (key_id between 0 and 4294967295),
  public_key bytea not null check (length(public_key) = 32),
  -- As registered: 0 unspecified or 1, both Ed25519.
  algorithm smallint not null check (algorithm in (0, 1)),
  valid_from timestamptz,
  valid_to timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, agent_id, key_id)
);

insert into revisions (name) values ('agent_keys');
create trigger raise_agent_keys_revision
  after insert or update or delete or truncate on agent_keys
  for each statement execute function raise_revision('agent_keys');

-- Who the sequencer is, once for the whole database, and every key with which one of its nodes ever signed.
create table sequencer_identity (
  only_row boolean primary key default true check (only_row),
  sequencer_id uuid not null
);

create table sequencer_keys (
  key_version integer generated always as identity primary key,
  public_key bytea not null unique check (length(public_key) = 32),
  node_id text not null,
  first_used_at timestamptz not null default now(),
  last_used_at timestamptz not null default now()
);

create view ves_events_readable as
  select s.tenant_id, s.store_id, e.sequence, e.sequenced_at, e.created_at, e.event_id, e.command_id, e.source_agent,
         e.agent_key_id, e.request_id, e.entity_type, e.entity_id, e.event_type, e.base_version, e.payload_kind,
         encode(e.payload_plain_hash, 'hex') as payload_plain_hash,
         encode(e.signing_hash, 'hex') as signing_hash, encode(e.leaf_hash, 'hex') as leaf_hash,
         case when e.encryption_key_number is null then jsonb_or_null(e.payload) end as payload
    from ves_events e join streams s using (store_number);
