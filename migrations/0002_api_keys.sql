-- API keys, known only by the hash of their text, and the numbers by which nodes notice changes.

create table api_keys (
  -- Lower-case hex SHA-256 of the key's text.
  key_hash text collate "C" primary key check (key_hash ~ '^[0-9a-f]{64}$'),
  tenant_id uuid not null,
  -- The stores that the key is limited to; empty means all stores of the tenant.
  store_ids uuid[] not null default '{}',
  agent_id uuid,
  can_read boolean not null,
  can_write boolean not null,
  is_admin boolean not null,
  -- Null means no limit of its own.
  rate_limit_per_minute bigint check (rate_limit_per_minute between 0 and 4294967295),
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- One row for each cached kind of record. A broker event that says "look again" may get lost; a number that every
-- node polls may not. It changes in the transaction of the change itself, so it is never seen without it.
create table revisions (
  name text collate "C" primary key,
  revision bigint not null default 0
);

insert into revisions (name) values ('api_keys');

create function raise_revision() returns trigger language plpgsql as $$
begin
  update revisions set revision = revision + 1 where name = tg_argv[0];
  return null;
end
$$;

-- Triggers rather than statements of ours, so that a change by hand is noticed as well.
create trigger raise_api_keys_revision
  after insert or update or delete or truncate on api_keys
  for each statement execute function raise_revision('api_keys');
