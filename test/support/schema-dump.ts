import pg from 'pg';

/** What the migrations made, as lines that are the same on every version of Postgres. */
export async function dumpSchema(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ line: string }>(schemaLines);
    return rows.map(({ line }) => `${line}\n`).join('');
  } finally {
    await client.end();
  }
}

const schemaLines = `
  with ours as (
    select c.oid, c.relname, c.relkind, c.reloptions from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relname <> 'schema_migrations')
  select line from (
    select format('table %s%s', relname, ' with (' || array_to_string(reloptions, ', ') || ')') as line,
           relname as thing, 0 as kind, 0 as place
      from ours where relkind = 'r'
    union all
    select format('  %s %s%s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                  case when l.collname <> 'default' then ' collate ' || l.collname end,
                  case when a.attnotnull then ' not null' end,
                  ' default ' || pg_get_expr(d.adbin, d.adrelid),
                  case a.attidentity when 'a' then ' generated always as identity' end),
           o.relname, 1, a.attnum
      from ours o join pg_attribute a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      left join pg_collation l on l.oid = a.attcollation
     where o.relkind = 'r'
    union all
    -- Version 18 lists "not null" among the constraints; the columns above say it already.
    select format('  constraint %s %s', c.conname, pg_get_constraintdef(c.oid)), o.relname, 2,
           row_number() over (partition by o.relname order by c.conname collate "C")
      from ours o join pg_constraint c on c.conrelid = o.oid and c.contype <> 'n'
    union all
    select '  ' || pg_get_indexdef(i.indexrelid), o.relname, 3,
           row_number() over (partition by o.relname order by i.indexrelid::regclass::text collate "C")
      from ours o join pg_index i on i.indrelid = o.oid
     where not exists (select from pg_constraint c where c.conindid = i.indexrelid)
    union all
    select '  ' || pg_get_triggerdef(t.oid), o.relname, 4,
           row_number() over (partition by o.relname order by t.tgname collate "C")
      from ours o join pg_trigger t on t.tgrelid = o.oid and not t.tgisinternal
    union all
    select format('view %s', relname), relname, 0, 0 from ours where relkind = 'v'
    union all
    select format('  %s %s', a.attname, format_type(a.atttypid, a.atttypmod)), o.relname, 1, a.attnum
      from ours o join pg_attribute a on a.attrelid = o.oid and a.attnum > 0 where o.relkind = 'v'
    union all
    select format('function %s(%s) returns %s', p.proname, pg_get_function_arguments(p.oid),
                  pg_get_function_result(p.oid)), p.proname, 0, 0
      from pg_proc p where p.pronamespace = 'public'::regnamespace) as lines
   order by thing collate "C", kind, place`;
