-- Keys of agents and tenants are managed over HTTP, and the configured administrator's key can be replaced.

-- Whether the key came from BOOTSTRAP_ADMIN_API_KEY or was made at a first start: of these, the last one set is active.
alter table api_keys add column bootstrap boolean not null default false;

-- Until now only the start of a node made keys of the nil tenant.
update api_keys set bootstrap = true
 where tenant_id = '00000000-0000-0000-0000-000000000000' and is_admin and agent_id is null;

alter table api_keys add constraint api_keys_bootstrap_is_admin
  check (not bootstrap or (tenant_id = '00000000-0000-0000-0000-000000000000' and is_admin and agent_id is null));

-- For lists, which begin with the newest, and for the bound on active keys.
create index api_keys_by_tenant on api_keys (tenant_id, created_at desc, key_hash desc);
create index api_keys_by_agent on api_keys (agent_id, tenant_id) where agent_id is not null;
