-- Who changed what: keys, schemas, settings, erasure. Read newest first, of everyone or of one tenant.

create table audit_log (
  id bigint generated always as identity primary key,
  "timestamp" timestamptz not null default clock_timestamp(),
  action text collate "C" not null check (length(action) between 1 and 64),
  actor text not null,
  actor_type text collate "C" not null,
  -- Whose thing was changed; null when it belongs to no tenant.
  tenant_id uuid,
  resource_type text collate "C" not null,
  resource_id text,
  request_id text,
  ip_address text,
  user_agent text,
  -- json rather than jsonb: what callers sent may hold \u0000, and nothing here looks inside.
  details json not null check (octet_length(details::text) <= 65536),
  success boolean not null,
  error_message text
);

create index audit_log_time on audit_log ("timestamp" desc, id desc);
create index audit_log_tenant on audit_log (tenant_id, "timestamp" desc, id desc);
create index audit_log_action on audit_log (action, "timestamp" desc, id desc);

-- What was recorded is never put otherwise; old entries may be deleted (docs/audit.md).
create function refuse_audit_update() returns trigger language plpgsql as $$
begin
  raise exception 'entries of the audit log are not changed';
end
$$;

create trigger refuse_audit_log_update
  before update on audit_log
  for each statement execute function refuse_audit_update();
