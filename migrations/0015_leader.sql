-- Work that one node does for all. A lease is a hint about who does it, never a lock: whatever the work changes is guarded where
-- it is changed. It ends by this database's clock, and no session holds it, so that it works behind a pooler.
create table leader_leases (
  role text collate "C" primary key,
  node_id text not null,
  -- Of the process: another one of the same name is another holder.
  instance_id uuid not null,
  -- Raised when the lease goes to another holder.
  term bigint not null check (term between 1 and 9007199254740991),
  since timestamptz not null,
  expires_at timestamptz not null
) with (fillfactor = 10);

-- Read by whoever deletes what is older than REJECTED_EVENTS_RETENTION_DAYS.
create index rejected_events_log_time on rejected_events_log (rejected_at);
