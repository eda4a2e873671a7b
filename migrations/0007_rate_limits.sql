-- How many requests each tenant and each credential made in the current window, for limits that all nodes share.
-- Columns are as the package rate-limiter-flexible reads and writes them.

-- Unlogged: what a crash or a failover forgets is one window of counts, and no request waits for it to be durable.
create unlogged table rate_limits (
  -- `tenant:` and a tenant, or `key:` and the hash of an API key; never a secret.
  key varchar(255) collate "C" primary key,
  points integer not null default 0,
  -- When the window ends, in milliseconds since 1970. Rows are deleted an hour after.
  expire bigint
  -- Rows are updated far more often than they are made; with room in the page an update stays in it.
) with (fillfactor = 50, autovacuum_vacuum_threshold = 1000);
