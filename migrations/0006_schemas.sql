-- What the payloads of a tenant's event types must look like, version by version.

create table schemas (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  event_type text collate "C" not null check (octet_length(event_type) between 1 and 256),
  -- Counts up from 1 for each event type of a tenant.
  version integer not null check (version >= 1),
  -- Compact JSON as it was sent; text, since jsonb would reorder members and can't hold every string.
  schema_json text not null check (octet_length(schema_json) <= 102400),
  description text check (octet_length(description) <= 2048),
  compatibility text not null check (compatibility in ('backward', 'forward', 'full', 'none')),
  -- Only active versions judge payloads.
  status text not null default 'active' check (status in ('active', 'deprecated', 'archived')),
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, event_type, version)
);

insert into revisions (name) values ('schemas');
create trigger raise_schemas_revision
  after insert or update or delete or truncate on schemas
  for each statement execute function raise_revision('schemas');
