-- Encryption of payloads at rest, and its reverse side: a tenant whose keys are gone is erased.
-- docs/adr says why keys are wrapped; docs/data-lifecycle.md says what follows from it.

-- The keys that encrypt payloads, one or more for each tenant, each encrypted by a master key that never comes here.
create table payload_keys (
  tenant_id uuid not null,
  -- What the rows of the tenant's events name; counts from 1 within the tenant.
  key_number smallint not null check (key_number >= 1),
  -- Which master key wraps it: the start of a hash over that key, so that nobody has to try them all.
  master_fingerprint bytea not null check (length(master_fingerprint) = 16),
  -- Nonce, ciphertext and tag.
  wrapped_key bytea not null check (length(wrapped_key) = 60),
  created_at timestamptz not null default now(),
  primary key (tenant_id, key_number)
);

-- Tenants whose keys were destroyed. Their events stay: hashes, leaves and commitments go on proving what they proved.
create table erased_tenants (
  tenant_id uuid primary key,
  erased_at timestamptz not null default now(),
  -- How many keys there were.
  keys_destroyed integer not null check (keys_destroyed >= 0)
);

-- The first step of an erasure, until the second or until its time is up.
create table erasure_requests (
  tenant_id uuid primary key,
  token_hash bytea not null check (length(token_hash) = 32),
  expires_at timestamptz not null
);

-- A store of an erased tenant is claimed by nobody, so nothing can be appended to it any more.
alter table streams add column erased boolean not null default false;

insert into revisions (name) values ('payload_keys');
-- Not when a key is added: nobody remembers that there is none.
create trigger raise_payload_keys_revision
  after update or delete or truncate on payload_keys
  for each statement execute function raise_revision('payload_keys');
create trigger raise_erased_tenants_revision
  after insert or update or delete or truncate on erased_tenants
  for each statement execute function raise_revision('payload_keys');

-- A new store or a new key of an erased tenant is left out rather than refused, since others may come with it in one
-- statement. Whoever erases takes the same lock alone and so waits for those that got here before; the look comes
-- after the lock and in a statement of its own, so it sees what was committed meanwhile.
create function leave_out_erased_tenant() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended(new.tenant_id::text, 8));
  if exists (select from erased_tenants t where t.tenant_id = new.tenant_id) then
    return null;
  end if;
  return new;
end
$$;

create trigger leave_out_erased_tenant
  before insert on streams for each row execute function leave_out_erased_tenant();
create trigger leave_out_erased_tenant
  before insert on payload_keys for each row execute function leave_out_erased_tenant();
