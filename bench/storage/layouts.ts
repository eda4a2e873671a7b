/** One way to lay out the events on disk, with the statements that use it. */
export interface Layout {
  readonly name: string;
  readonly tables: string;
  /** Indexes that the append keeps up to date; made after the fill, with the room that random growth leaves. */
  readonly indexes: (fillfactor: number) => string;
  /** Whether rows name their store by two ids instead of a number. */
  readonly wide: boolean;
  /** The whole append: fence and events in one statement. */
  readonly append: string;
  /** Brings what is kept beside the events up to the head, in one transaction; null when there is nothing. */
  readonly fold: string | null;
  /** What the fill must add to the columns that all layouts have. */
  readonly extraColumn: { readonly name: string; readonly fill: string } | null;
  /** Run once after the fill. */
  readonly afterFill: string;
  readonly readRange: string;
  readonly readEntity: string;
  readonly findEvents: string;
  readonly entityVersion: string;
}

/** The fence rows are the same everywhere; `folded` is the watermark of the layouts that have one. */
export const streamsTable = `
create table streams (
  store_number bigint primary key, tenant_id uuid not null, store_id uuid not null,
  epoch bigint not null, legacy_head bigint not null, folded bigint not null, last_sequenced_at timestamptz,
  unique (tenant_id, store_id)
) with (fillfactor = 25)`;

const body = `
  sequenced_at timestamptz not null, created_at timestamptz not null, event_id uuid not null, command_id uuid,
  source_agent uuid not null, request_id uuid not null,
  entity_type text collate "C" not null, entity_id text collate "C" not null, event_type text collate "C" not null,
  payload_hash bytea not null, leaf_hash bytea not null, payload bytea not null`;
const bodyColumns = `sequenced_at, created_at, event_id, command_id, source_agent, request_id, entity_type, entity_id,
  event_type, payload_hash, leaf_hash, payload`;

/** The columns that binary COPY fills, in the order in which append.ts writes them. */
export function copyColumns(layout: Layout): string {
  return `${layout.wide ? 'tenant_id, store_id, sequence' : 'store_number, sequence, entity_hash'}, ${bodyColumns}`;
}

const given = `
  given as (
    select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[])
        as g (store_number, epoch, head, new_head, sequenced_at)),
  locked as (
    select store_number from streams s join given g using (store_number)
     where s.epoch = g.epoch and s.legacy_head = g.head order by store_number for update of s),
  fence as (
    update streams s set legacy_head = g.new_head, last_sequenced_at = g.sequenced_at
      from locked join given g using (store_number)
     where s.store_number = locked.store_number
    returning s.store_number, s.tenant_id, s.store_id, g.sequenced_at)`;
/**
 * Set-returning functions in the select list stream their rows; in the from clause each would fill a temporary store
 * with all of its rows first, which costs up to a fifth more.
 */
const events = `
  (select unnest($6::bigint[]) as store_number,
          unnest($7::bigint[]) as sequence,
          unnest($8::uuid[]) as event_id,
          unnest($9::uuid[]) as command_id,
          unnest($10::bigint[]) as entity_hash,
          unnest($11::text[]) as entity_type,
          unnest($12::text[]) as entity_id,
          unnest($13::text[]) as event_type,
          unnest($14::uuid[]) as source_agent,
          unnest($15::uuid[]) as request_id,
          unnest($16::timestamptz[]) as created_at,
          unnest($17::bytea[]) as payload_hash,
          unnest($18::bytea[]) as leaf_hash,
          unnest($19::bytea[]) as payload) as e`;

function append(options: { columns: string; values: string; from?: string; more?: string }): string {
  return `with ${given}, appended as (
    insert into events (${options.columns}, ${bodyColumns})
    select ${options.values}, sequenced_at, created_at, event_id, command_id, source_agent, request_id, entity_type,
           entity_id, event_type, payload_hash, leaf_hash, payload
      from fence join ${events} using (store_number) ${options.from ?? ''})
    ${options.more ?? ''}
    select store_number from fence`;
}

const narrowTable = `create table events (
  store_number bigint not null, sequence bigint not null, entity_hash bigint not null, ${body});`;
const narrowKeys = (fillfactor: number): string => `
  alter table events add primary key (store_number, sequence);
  create unique index on events (store_number, event_id) with (fillfactor = ${fillfactor});
  create unique index on events (store_number, command_id) with (fillfactor = ${fillfactor})
    where command_id is not null;`;
const narrowEntityIndex = (fillfactor: number): string =>
  `create index on events (store_number, entity_hash, sequence) with (fillfactor = ${fillfactor});`;
const narrowReads = {
  readRange: `select * from events where store_number = $1 and sequence between $2 and $2 + 99 order by sequence`,
  readEntity: `select * from events where store_number = $1 and entity_hash = $2 and entity_type = $3
    and entity_id = $4 order by sequence limit 100`,
  findEvents: `select event_id, sequence, request_id from events
    where store_number = $1 and event_id = any ($2::uuid[])`,
  entityVersion: `select count(*) as version from events where store_number = $1 and entity_hash = $2
    and entity_type = $3 and entity_id = $4`,
};
const narrow: Layout = {
  name: 'B narrow',
  tables: narrowTable,
  indexes: (fillfactor) => narrowKeys(fillfactor) + narrowEntityIndex(fillfactor),
  wide: false,
  append: append({
    columns: 'store_number, sequence, entity_hash',
    values: 'store_number, sequence, entity_hash',
  }),
  fold: null,
  extraColumn: null,
  afterFill: '',
  ...narrowReads,
};

const versionsTable = `create table entity_versions (
  store_number bigint not null, entity_hash bigint not null, entity_type text collate "C" not null,
  entity_id text collate "C" not null, version bigint not null,
  primary key (store_number, entity_hash, entity_type, entity_id)) with (fillfactor = 70);`;
const foldedVersion = `select coalesce(
    (select version from entity_versions where store_number = $1 and entity_hash = $2 and entity_type = $3
        and entity_id = $4), 0)
  + (select count(*) from events where store_number = $1 and entity_hash = $2 and entity_type = $3 and entity_id = $4
        and sequence > (select folded from streams where store_number = $1)) as version`;
const foldVersions = `
    insert into entity_versions as v (store_number, entity_hash, entity_type, entity_id, version)
    select e.store_number, entity_hash, entity_type, entity_id, count(*)
      from moved m join events e on e.store_number = m.store_number and e.sequence > m.from_head
       and e.sequence <= m.to_head
     group by 1, 2, 3, 4 order by 1, 2
    on conflict (store_number, entity_hash, entity_type, entity_id)
    do update set version = v.version + excluded.version`;
/** The old watermark comes from the query's snapshot; two folds at once meet on the row and the later finds it moved. */
const movedWatermark = `with before as (
    select store_number, folded, legacy_head from streams where store_number = $1),
  moved as (
    update streams s set folded = b.legacy_head from before b
     where s.store_number = b.store_number and s.folded = b.folded
    returning s.store_number, b.folded as from_head, b.legacy_head as to_head)`;

export const layouts: readonly Layout[] = [
  {
    name: 'A wide',
    tables: `create table events (
      tenant_id uuid not null, store_id uuid not null, sequence bigint not null, ${body});`,
    indexes: (fillfactor) => `
      alter table events add primary key (tenant_id, store_id, sequence);
      create unique index on events (event_id) with (fillfactor = ${fillfactor});
      create unique index on events (tenant_id, store_id, command_id) with (fillfactor = ${fillfactor})
        where command_id is not null;
      create index on events (tenant_id, store_id, entity_type, entity_id, sequence)
        with (fillfactor = ${fillfactor});
      create index on events (sequenced_at);`,
    wide: true,
    append: append({ columns: 'tenant_id, store_id, sequence', values: 'tenant_id, store_id, sequence' }),
    fold: null,
    extraColumn: null,
    afterFill: '',
    readRange: `select events.* from streams s join events using (tenant_id, store_id)
      where s.store_number = $1 and sequence between $2 and $2 + 99 order by sequence`,
    readEntity: `select events.* from streams s join events using (tenant_id, store_id)
      where s.store_number = $1 and $2::bigint is not null and entity_type = $3 and entity_id = $4
      order by sequence limit 100`,
    findEvents: `select event_id, sequence, request_id from events
      where $1::bigint is not null and event_id = any ($2::uuid[])`,
    entityVersion: `select count(*) as version from streams s join events using (tenant_id, store_id)
      where s.store_number = $1 and $2::bigint is not null and entity_type = $3 and entity_id = $4`,
  },
  narrow,
  {
    ...narrow,
    name: 'C index after',
    tables: `${narrowTable} ${versionsTable}
      create table entity_events (store_number bigint not null, entity_hash bigint not null, sequence bigint not null,
        primary key (store_number, entity_hash, sequence)) with (fillfactor = 70);`,
    indexes: narrowKeys,
    fold: `${movedWatermark}, versions as (${foldVersions})
      insert into entity_events select e.store_number, entity_hash, sequence
        from moved m join events e on e.store_number = m.store_number and e.sequence > m.from_head
         and e.sequence <= m.to_head order by entity_hash`,
    readEntity: `select events.* from entity_events join events using (store_number, sequence)
      where store_number = $1 and entity_events.entity_hash = $2 and entity_type = $3 and entity_id = $4
      order by sequence limit 100`,
    entityVersion: `select coalesce((select version from entity_versions where store_number = $1
        and entity_hash = $2 and entity_type = $3 and entity_id = $4), 0)
      + (select count(*) from events where store_number = $1 and entity_hash = $2 and entity_type = $3
        and entity_id = $4 and sequence > (select folded from streams where store_number = $1)) as version`,
  },
  {
    ...narrow,
    name: 'D upsert',
    tables: `${narrowTable} ${versionsTable}`,
    afterFill: `insert into entity_versions select store_number, entity_hash, entity_type, entity_id, count(*)
      from events group by 1, 2, 3, 4`,
    append: append({
      columns: 'store_number, sequence, entity_hash',
      values: 'store_number, sequence, entity_hash',
      more: `, versions as (
        insert into entity_versions as v (store_number, entity_hash, entity_type, entity_id, version)
        select store_number, entity_hash, entity_type, entity_id, count(*) from fence join ${events}
         using (store_number) group by 1, 2, 3, 4 order by 1, 2
        on conflict (store_number, entity_hash, entity_type, entity_id)
        do update set version = v.version + excluded.version)`,
    }),
    entityVersion: `select version from entity_versions where store_number = $1 and entity_hash = $2
      and entity_type = $3 and entity_id = $4`,
  },
  {
    ...narrow,
    name: 'E version in row',
    extraColumn: {
      name: 'version',
      fill: 'row_number() over (partition by s.store_number, entity_hash order by sequence)',
    },
    tables: narrowTable.replace(
      'entity_hash bigint not null,',
      'entity_hash bigint not null, version bigint not null,',
    ),
    append: append({
      columns: 'store_number, sequence, entity_hash, version',
      values: `store_number, sequence, entity_hash, coalesce(known.version, 0)
        + row_number() over (partition by store_number, entity_hash, entity_type, entity_id order by sequence)`,
      from: `left join lateral (select version from events p where p.store_number = e.store_number
          and p.entity_hash = e.entity_hash and p.entity_type = e.entity_type and p.entity_id = e.entity_id
          order by p.sequence desc limit 1) known on true`,
    }),
    entityVersion: `select version from events where store_number = $1 and entity_hash = $2 and entity_type = $3
      and entity_id = $4 order by sequence desc limit 1`,
  },
  {
    ...narrow,
    name: 'F narrow + fold',
    tables: `${narrowTable} ${versionsTable}`,
    fold: `${movedWatermark} ${foldVersions}`,
    entityVersion: foldedVersion,
  },
];

/**
 * Fills the events with ($1 stores, $2 events, $3 entities) and payloads of 100 bytes, made by the server: rows of
 * full size would take an hour and ten times the disk, and what depends on history is the depth and the spread of the
 * indexes, whose entries have the same size.
 */
export function fillStatement(layout: Layout): string {
  const key = layout.wide ? 's.tenant_id, s.store_id, sequence' : 's.store_number, sequence, entity_hash';
  const extra = layout.extraColumn;
  return `
    insert into events (${layout.wide ? 'tenant_id, store_id, sequence' : 'store_number, sequence, entity_hash'},
      ${extra === null ? '' : `${extra.name},`} ${bodyColumns})
    select ${key}, ${extra === null ? '' : `${extra.fill},`}
           now(), now(), gen_random_uuid(), case when random() < 0.5 then gen_random_uuid() end, s.tenant_id, s.tenant_id,
           'order', entity_id, 'order.updated', hash, hash, substr(hash || hash || hash || hash, 1, 100)
      from (
        select n % $1::int + 1 as store_number, n / $1::int + 1 as sequence,
               'order-' || case when random() < 0.01 then 0 else 1 + floor(random() * $3::int)::int end as entity_id
          from generate_series(0, $2::int - 1) as n) as made
      join streams s using (store_number),
      lateral (select sha256(entity_id::bytea) as hash) as hashed,
      lateral (select ('x' || encode(substr(hash, 1, 8), 'hex'))::bit(64)::bigint as entity_hash) as numbered
     order by s.store_number, sequence`;
}
