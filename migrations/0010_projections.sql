-- Projections: what the unsigned events of each store add up to, entity by entity. All of it can be deleted and made again
-- from the events (docs/projections.md).

-- How far the events of a store are projected. Whoever changes anything of its projections raises the revision in the same
-- statement, and does so only while the revision is the one that was read: so no event is applied twice, whoever else tries.
create table projection_checkpoints (
  store_number bigint primary key,
  last_sequence bigint not null default 0 check (last_sequence between 0 and 9007199254740991),
  revision bigint not null default 0,
  -- Where a rebuild under way ends: up to there readers are told that the state is an older one. 0 when there was none.
  rebuilding_to bigint not null default 0 check (rebuilding_to >= 0),
  applied bigint not null default 0,
  refused bigint not null default 0,
  skipped bigint not null default 0,
  -- Who works on it, so that nodes do not do the same work; nothing depends on it.
  claimant text,
  claimed_until timestamptz,
  updated_at timestamptz not null default now()
) with (fillfactor = 50);

create table projected_entities (
  store_number bigint not null,
  entity_type text collate "C" not null check (entity_type in ('order', 'inventory', 'product', 'customer', 'return')),
  entity_id text collate "C" not null,
  -- How many events were applied to it.
  version bigint not null check (version between 1 and 9007199254740991),
  -- Of the last event that was applied.
  last_sequence bigint not null check (last_sequence between 1 and 9007199254740991),
  state jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (store_number, entity_type, entity_id)
) with (fillfactor = 70);

-- What was refused the first time, and why; one row an event.
create table rejected_events_log (
  store_number bigint not null,
  original_sequence bigint not null check (original_sequence >= 1),
  original_event_id uuid not null,
  entity_type text collate "C" not null,
  entity_id text collate "C" not null,
  event_type text collate "C" not null,
  reason_code text collate "C" not null,
  reason text not null,
  expected_version bigint,
  actual_version bigint,
  rejected_at timestamptz not null default now(),
  primary key (store_number, original_sequence)
);

-- Refused events that wait for another try or for a person. The payload stays where it is, in the event.
create table dead_letter_events (
  id uuid primary key default gen_random_uuid(),
  store_number bigint not null,
  tenant_id uuid not null,
  store_id uuid not null,
  sequence_number bigint not null check (sequence_number >= 1),
  event_id uuid not null,
  event_type text collate "C" not null,
  entity_type text collate "C" not null,
  entity_id text collate "C" not null,
  reason text collate "C" not null check (reason in
    ('schema_validation', 'invariant_violation', 'invalid_state_transition', 'version_conflict', 'handler_error', 'unknown')),
  status text collate "C" not null check (status in ('pending', 'retrying', 'failed', 'resolved')),
  error_message text not null,
  retry_count integer not null default 0 check (retry_count >= 0),
  max_retries integer not null default 10,
  last_retry_at timestamptz,
  -- While it is being tried: when whoever tries has had time enough.
  next_retry_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  unique (store_number, event_id),
  check ((next_retry_at is not null) = (status in ('pending', 'retrying')))
);

create index dead_letter_events_due on dead_letter_events (next_retry_at) where status in ('pending', 'retrying');
create index dead_letter_events_time on dead_letter_events (created_at desc, id desc);
create index dead_letter_events_tenant on dead_letter_events (tenant_id, created_at desc, id desc);

-- The entities for people who write SQL, a view each.
create view projected_orders as
  select s.tenant_id, s.store_id, p.entity_id as order_id, p.version, p.last_sequence, p.updated_at,
         p.state ->> 'status' as status, p.state ->> 'customer_id' as customer_id,
         (p.state ->> 'total_amount')::numeric as total_amount, p.state ->> 'currency' as currency,
         p.state -> 'line_items' as line_items, p.state -> 'shipping_address' as shipping_address
    from projected_entities p join streams s using (store_number) where p.entity_type = 'order';

create view projected_inventory as
  select s.tenant_id, s.store_id, p.entity_id, p.version, p.last_sequence, p.updated_at,
         p.state ->> 'product_id' as product_id, p.state ->> 'location' as location,
         (p.state ->> 'on_hand')::bigint as on_hand, (p.state ->> 'reserved')::bigint as reserved,
         (p.state ->> 'available')::bigint as available, (p.state ->> 'reorder_point')::bigint as reorder_point
    from projected_entities p join streams s using (store_number) where p.entity_type = 'inventory';

create view projected_products as
  select s.tenant_id, s.store_id, p.entity_id as product_id, p.version, p.last_sequence, p.updated_at,
         p.state ->> 'sku' as sku, p.state ->> 'name' as name, p.state ->> 'description' as description,
         (p.state ->> 'price')::numeric as price, p.state ->> 'currency' as currency,
         (p.state ->> 'active')::boolean as active, p.state -> 'attributes' as attributes
    from projected_entities p join streams s using (store_number) where p.entity_type = 'product';

create view projected_customers as
  select s.tenant_id, s.store_id, p.entity_id as customer_id, p.version, p.last_sequence, p.updated_at,
         p.state ->> 'email' as email, p.state ->> 'name' as name, p.state ->> 'phone' as phone,
         p.state -> 'addresses' as addresses, p.state -> 'metadata' as metadata,
         (p.state ->> 'active')::boolean as active
    from projected_entities p join streams s using (store_number) where p.entity_type = 'customer';

create view projected_returns as
  select s.tenant_id, s.store_id, p.entity_id as return_id, p.version, p.last_sequence, p.updated_at,
         p.state ->> 'status' as status, p.state ->> 'order_id' as order_id, p.state ->> 'customer_id' as customer_id,
         p.state ->> 'reason' as reason, p.state -> 'items' as items,
         (p.state ->> 'refund_amount')::numeric as refund_amount
    from projected_entities p join streams s using (store_number) where p.entity_type = 'return';
