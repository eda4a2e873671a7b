import { percent, short, whole } from '../report/number-text.ts';
import { NodeMetrics } from '../target/node-metrics.ts';
import { withClient } from '../target/postgres.ts';
import type { MeasuredNode } from './part.ts';
import type { Table } from './report.ts';

/** What Postgres and the node's connections to it say of the work that was done. */
export async function databaseTable(node: MeasuredNode): Promise<Table> {
  const metrics = await NodeMetrics.scrape(node);
  const facts = await withClient(node.databaseUrl, async (client) => {
    const { rows } = await client.query<
      Record<'commits' | 'rollbacks' | 'hit' | 'read' | 'wal' | 'rows', string>
    >(
      `select d.xact_commit as commits, d.xact_rollback as rollbacks, d.blks_hit as hit, d.blks_read as read,
              pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as wal, d.tup_inserted as rows
         from pg_stat_database d where d.datname = current_database()`,
    );
    return rows[0]!;
  });
  const average = (name: string): number =>
    metrics.value(`${name}_sum`) / Math.max(metrics.value(`${name}_count`), 1);
  return {
    title: 'The database during all of this',
    columns: ['figure', 'value'],
    rows: [
      ['transactions committed', whole(Number(facts.commits))],
      ['transactions rolled back', whole(Number(facts.rollbacks))],
      ['rows inserted, those of COPY included', whole(Number(facts.rows))],
      [
        'pages found in shared buffers',
        percent(Number(facts.hit) / (Number(facts.hit) + Number(facts.read))),
      ],
      ['WAL written by this server so far, MB', whole(Number(facts.wal) / 1_000_000)],
      ['append statements', whole(metrics.value('sequencer_append_duration_seconds_count'))],
      ['average append statement, ms', short(1_000 * average('sequencer_append_duration_seconds'))],
      ['average events of an append statement', short(average('sequencer_append_events'))],
      [
        'average wait for a connection of the pool, ms',
        short(1_000 * average('sequencer_pool_acquisition_latency_ms')),
      ],
    ],
  };
}
