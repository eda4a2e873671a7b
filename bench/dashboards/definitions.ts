/** How the values of a panel are written; the names are Grafana's. */
export type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'reqps' | 'ops' | 'percent';

/** One expression of a panel, and what its lines are called: text with `{{label}}`. */
export type Line = readonly [legend: string, expression: string];

export interface Panel {
  readonly title: string;
  /** What it shows and what is good; shown beside the title. */
  readonly says: string;
  readonly unit: Unit;
  readonly lines: readonly Line[];
}

export interface Dashboard {
  /** Stable: links and bookmarks hold it. */
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** Grafana puts in a window of a few scrapes. */
const window = '[$__rate_interval]';
const rate = (metric: string, by = ''): string => `sum${by}(rate(${metric}${window}))`;
const quantile = (q: number, histogram: string, by = ''): string =>
  `histogram_quantile(${q}, sum by (le${by}) (rate(${histogram}_bucket${window})))`;
/** P50, P95 and P99 of a histogram. */
const quantiles = (histogram: string): readonly Line[] =>
  [0.5, 0.95, 0.99].map((q) => [`P${q * 100}`, quantile(q, histogram)] as const);
const byNode = '{{instance}}';

const overview: Dashboard = {
  uid: 'sequencer-overview',
  title: 'Sequencer: overview',
  panels: [
    {
      title: 'Events accepted and rejected',
      says: 'As clients were told, over all nodes.',
      unit: 'ops',
      lines: [
        ['accepted', rate('sequencer_events_ingested')],
        ['rejected', rate('sequencer_events_rejected')],
      ],
    },
    {
      title: 'Requests by status',
      says: '5xx above 1 % of all wakes someone.',
      unit: 'reqps',
      lines: [['{{status}}', rate('sequencer_http_requests_total', ' by (status) ')]],
    },
    {
      title: 'Ingest latency',
      says: 'From the body being read to the durable answer.',
      unit: 's',
      lines: quantiles('sequencer_ingest_latency_seconds'),
    },
    {
      title: 'Nodes that answer',
      says: 'And how many of them each node sees at least.',
      unit: 'short',
      lines: [
        ['answer', 'sum(up{job="sequencer"})'],
        ['seen by every node', 'min(sequencer_cluster_nodes)'],
      ],
    },
    {
      title: 'Bytes in flight, of what is allowed',
      says: 'At 100 % requests get 503.',
      unit: 'percentunit',
      lines: [[byNode, 'sequencer_bytes_in_flight / sequencer_bytes_in_flight_max']],
    },
    {
      title: 'Cache hit rate',
      says: 'Of caches that are asked. That of recent ids misses for every new event, as it should.',
      unit: 'percentunit',
      lines: [
        [
          '{{cache}}',
          `sum by (cache) (rate(sequencer_cache_hits${window})) / (sum by (cache) (rate(sequencer_cache_hits${window})) + sum by (cache) (rate(sequencer_cache_misses${window})) > 0)`,
        ],
      ],
    },
    {
      title: 'Rate limits',
      says: 'Requests refused with 429.',
      unit: 'reqps',
      lines: [['refused', rate('sequencer_ratelimit_rejected')]],
    },
    {
      title: 'Memory of each node',
      says: 'Resident.',
      unit: 'bytes',
      lines: [[byNode, 'process_resident_memory_bytes{job="sequencer"}']],
    },
  ],
};

const ingest: Dashboard = {
  uid: 'sequencer-ingest',
  title: 'Sequencer: ingest',
  panels: [
    {
      title: 'Events of each node',
      says: 'Appended by the owner of their store.',
      unit: 'ops',
      lines: [[byNode, rate('sequencer_events_sequenced', ' by (instance) ')]],
    },
    {
      title: 'Ingest latency',
      says: 'Production promises 10, 50 and 100 ms; Enterprise 8, 40, 80; Dedicated 5, 25, 50.',
      unit: 's',
      lines: quantiles('sequencer_ingest_latency_seconds'),
    },
    {
      title: 'Where the time goes (P95)',
      says: 'Checking signatures, waiting in the mailbox, the whole flush, and the append statement in it.',
      unit: 's',
      lines: [
        ['signatures', quantile(0.95, 'sequencer_signature_check_duration_seconds')],
        ['mailbox', quantile(0.95, 'sequencer_flush_age_seconds')],
        ['flush', quantile(0.95, 'sequencer_sequence_latency_seconds')],
        ['append', quantile(0.95, 'sequencer_append_duration_seconds')],
      ],
    },
    {
      title: 'Events of a request, flush and append',
      says: 'Means. Larger requests cost less for each event.',
      unit: 'short',
      lines: [
        ['request', mean('sequencer_request_events_per_batch')],
        ['flush of a store', mean('sequencer_batch_events')],
        ['append', mean('sequencer_append_events')],
      ],
    },
    {
      title: 'Requests that wait in mailboxes',
      says: 'More on one node than on others: one store gets much.',
      unit: 'short',
      lines: [[byNode, 'sequencer_mailbox_requests']],
    },
    {
      title: 'Faults of events and requests',
      says: 'Signature, schema, form of the request, credential; and calls that failed on our side.',
      unit: 'ops',
      lines: [
        ['signature', rate('sequencer_errors_signature')],
        ['schema', rate('sequencer_errors_schema_validation')],
        ['request', rate('sequencer_errors_validation')],
        ['credential', rate('sequencer_errors_auth')],
        ['ours', rate('sequencer_errors_database')],
      ],
    },
  ],
};

const cluster: Dashboard = {
  uid: 'sequencer-cluster',
  title: 'Sequencer: cluster',
  panels: [
    {
      title: 'Stores owned',
      says: 'Spread evenly, but for stores that are used more.',
      unit: 'short',
      lines: [[byNode, 'sequencer_streams_owned']],
    },
    {
      title: 'Claims and fences',
      says: 'Stores claimed, and lost to another node. Fences that go on are a storm.',
      unit: 'ops',
      lines: [
        ['claims', rate('sequencer_claims')],
        ['fenced', rate('sequencer_fenced')],
      ],
    },
    {
      title: 'Takeovers',
      says: 'From the first request for a store that another node had to its durable append.',
      unit: 's',
      lines: quantiles('sequencer_takeover_duration_seconds'),
    },
    {
      title: 'NATS round trip (P95)',
      says: 'A ping to the server and back.',
      unit: 's',
      lines: [[byNode, quantile(0.95, 'sequencer_nats_round_trip_seconds', ', instance')]],
    },
    {
      title: 'Event loop delay (P99)',
      says: 'Above 250 ms for minutes is too much for one node.',
      unit: 's',
      lines: [[byNode, 'nodejs_eventloop_lag_p99_seconds{job="sequencer"}']],
    },
    {
      title: 'Processor of each node',
      says: '100 % is one processor; a node serves on one thread and checks signatures on others.',
      unit: 'percentunit',
      lines: [[byNode, `rate(process_cpu_seconds_total{job="sequencer"}${window})`]],
    },
    {
      title: 'Who leads',
      says: 'Of each role one node works for all. Two at once do no harm; nobody is an alert.',
      unit: 'short',
      lines: [['{{role}} {{instance}}', 'sequencer_leader']],
    },
    {
      title: 'Leads won, handed over and lost',
      says: 'A restart hands over. A lead is lost when its lease could not be renewed.',
      unit: 'ops',
      lines: [['{{role}} {{change}}', rate('sequencer_leader_changes', ' by (role, change) ')]],
    },
    {
      title: 'Circuits that are not closed',
      says: '1 half open, 2 open. Open for a minute wakes someone.',
      unit: 'short',
      lines: [['{{circuit}} of {{instance}}', 'sequencer_circuit_breaker_state > 0']],
    },
    {
      title: 'Calls refused by a circuit',
      says: 'Not made, since what is behind it kept failing.',
      unit: 'reqps',
      lines: [['{{circuit}}', rate('sequencer_circuit_breaker_rejections', ' by (circuit) ')]],
    },
    {
      title: 'Calls tried again',
      says: 'Given up: out of tries, of time, or of the budget that all retries share.',
      unit: 'ops',
      lines: [
        ['{{operation}} again', rate('sequencer_retry_attempts', ' by (operation) ')],
        ['{{operation}} succeeded', rate('sequencer_retry_successes', ' by (operation) ')],
        ['{{operation}} refused', rate('sequencer_retry_failures', ' by (operation) ')],
        ['{{operation}} given up', rate('sequencer_retry_exhausted', ' by (operation) ')],
      ],
    },
    {
      title: 'Calls that were tried again, until their outcome (P95)',
      says: 'What a retry costs the client; those answered at once are not in it.',
      unit: 's',
      lines: [['{{operation}}', quantile(0.95, 'sequencer_retry_latency_seconds', ', operation')]],
    },
  ],
};

const database: Dashboard = {
  uid: 'sequencer-database',
  title: 'Sequencer: database',
  panels: [
    {
      title: 'Append statements',
      says: 'Each holds the flushes of several stores, and ends with a write to the disk.',
      unit: 's',
      lines: quantiles('sequencer_append_duration_seconds'),
    },
    {
      title: 'Stores of an append',
      says: 'Mean.',
      unit: 'short',
      lines: [['stores', mean('sequencer_append_stores')]],
    },
    {
      title: 'Statements, by name',
      says: 'How many a second.',
      unit: 'ops',
      lines: [['{{query}}', `topk(8, ${rate('sequencer_db_query_latency_seconds_count', ' by (query) ')})`]],
    },
    {
      title: 'Slowest statements, by name (P99)',
      says: 'Above 50 ms over all of them is a warning.',
      unit: 's',
      lines: [
        ['{{query}}', `topk(8, ${quantile(0.99, 'sequencer_db_query_latency_seconds', ', query')} >= 0)`],
      ],
    },
    {
      title: 'Pool in use',
      says: 'Above 90 % for two minutes wakes someone.',
      unit: 'percent',
      lines: [[byNode, 'sequencer_pool_utilization']],
    },
    {
      title: 'Waiting for a connection',
      says: 'Callers in the queue of the pool, and those that gave up.',
      unit: 'short',
      lines: [
        ['waiting', 'sum(sequencer_db_pool_waiting)'],
        ['timed out /s', rate('sequencer_pool_timed_out_acquisitions')],
        ['slow /s', rate('sequencer_pool_slow_acquisitions')],
      ],
    },
  ],
};

const commitments: Dashboard = {
  uid: 'sequencer-commitments',
  title: 'Sequencer: commitments',
  panels: [
    {
      title: 'Commitments made',
      says: 'By all nodes.',
      unit: 'ops',
      lines: [
        ['made', rate('sequencer_commitments_created')],
        ['recorded as anchored', rate('sequencer_commitments_anchored')],
      ],
    },
    {
      title: 'Commitments refused since the log contradicts itself',
      says: 'Must be 0.',
      unit: 'short',
      lines: [['refused', 'sum(sequencer_commitment_verification_failures)']],
    },
    {
      title: 'Age of the oldest event without a commitment',
      says: 'Grows without end where nobody commits.',
      unit: 's',
      lines: [['age', 'max(sequencer_commitment_lag_seconds)']],
    },
    {
      title: 'Events without a commitment',
      says: 'Of all streams, and of the one that has most.',
      unit: 'short',
      lines: [
        ['all streams', 'max(sequencer_commitment_lag_events)'],
        ['largest', 'max(sequencer_commitment_lag_events_max)'],
      ],
    },
    {
      title: 'Making a commitment',
      says: 'From its turn to its being durable.',
      unit: 's',
      lines: quantiles('sequencer_commit_latency_seconds'),
    },
    {
      title: 'Finding an inclusion proof',
      says: 'Cached or not.',
      unit: 's',
      lines: quantiles('sequencer_proof_latency_seconds'),
    },
  ],
};

const projections: Dashboard = {
  uid: 'sequencer-projections',
  title: 'Sequencer: projections',
  panels: [
    {
      title: 'Events projected',
      says: 'By all nodes; skipped are those that no projection is made of.',
      unit: 'ops',
      lines: [
        ['applied', rate('sequencer_events_projected')],
        ['skipped', rate('sequencer_events_projection_skipped')],
        ['refused', rate('sequencer_dlq_added')],
      ],
    },
    {
      title: 'Events not projected yet',
      says: 'Of the stream that is furthest behind. Grows while appends are many, and falls afterwards.',
      unit: 'short',
      lines: [['events', 'max(sequencer_projection_lag_events)']],
    },
    {
      title: 'Streams that stand still',
      says: 'Must be 0: nothing of them was projected for five minutes, although events wait.',
      unit: 'short',
      lines: [['streams', 'max(sequencer_projection_stalled_streams)']],
    },
    {
      title: 'The stream that has stood still for longest',
      says: '0 while none does.',
      unit: 's',
      lines: [['waits', 'max(sequencer_projection_stalled_seconds)']],
    },
    {
      title: 'Projecting up to 100 events',
      says: 'From reading them up to their checkpoint.',
      unit: 's',
      lines: quantiles('sequencer_project_latency_seconds'),
    },
    {
      title: 'Dead letters',
      says: 'Events that were refused: pending are tried again, failed wait for a person.',
      unit: 'short',
      lines: [
        ['pending', 'max(sequencer_dlq_pending)'],
        ['failed', 'max(sequencer_dlq_failed)'],
      ],
    },
  ],
};

/** What is shown of a cluster, by area. */
export const dashboards: readonly Dashboard[] = [
  overview,
  ingest,
  cluster,
  database,
  commitments,
  projections,
];

function mean(histogram: string): string {
  return `${rate(`${histogram}_sum`)} / ${rate(`${histogram}_count`)}`;
}
