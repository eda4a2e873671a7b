import type { OwnedStoreReport } from '../../../actors/actor-directory.ts';
import type { ClusterBody, ClusterNodeBody } from '../../../services/gateway/handlers/read-cluster.ts';

/** A cluster as a table, with the stores that the answer names below it. */
export function describeCluster({ asOf, answeredBy, nodes }: ClusterBody): string {
  const stores = nodes.flatMap(({ nodeId, sequencer }) =>
    (sequencer?.stores ?? []).map((store) => storeRow(nodeId, store)),
  );
  const nowMs = Date.parse(asOf);
  return [
    `${asOf}, answered by ${answeredBy}`,
    '',
    ...table([nodeHeading, ...nodes.map((node) => nodeRow(node, nowMs))], nodeNumbers),
    ...(stores.length === 0 ? [] : ['', ...table([storeHeading, ...stores], storeNumbers)]),
  ].join('\n');
}

const nodeHeading = [
  'node',
  'state',
  'up',
  'stores',
  'waiting',
  'in flight',
  'takeovers',
  'last takeover',
  'leads',
  'services',
];
const nodeNumbers = new Set([2, 3, 4, 5, 6]);

function nodeRow(node: ClusterNodeBody, nowMs: number): string[] {
  const { nodeId, state, services, startedAt, bytesInFlight, sequencer, leads } = node;
  const last = sequencer?.lastTakeover ?? null;
  return [
    nodeId,
    state,
    startedAt === null ? '' : span(nowMs - Date.parse(startedAt)),
    ...[sequencer?.storesOwned, sequencer?.requestsWaiting].map((count) => String(count ?? '')),
    bytesInFlight === null ? '' : bytes(bytesInFlight),
    String(sequencer?.takeovers ?? ''),
    last === null
      ? ''
      : `${span(nowMs - Date.parse(last.at))} ago from ${last.from}, ${Math.round(last.durationMs)} ms`,
    leads?.map(({ role }) => role).join(' ') ?? '',
    services.join(' '),
  ];
}

const storeHeading = ['node', 'tenant', 'store', 'epoch', 'legacy head', 'VES head', 'waiting'];
const storeNumbers = new Set([3, 4, 5, 6]);

function storeRow(nodeId: string, store: OwnedStoreReport): string[] {
  const { tenantId, storeId, epoch, heads, requestsWaiting } = store;
  return [nodeId, tenantId, storeId, ...[epoch, heads.legacy, heads.ves, requestsWaiting].map(String)];
}

/** Columns line up; those whose place is in `numbers` stand on the right. */
function table(rows: readonly (readonly string[])[], numbers: ReadonlySet<number>): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        numbers.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

function bytes(count: number): string {
  if (count < 10_000) return `${count} B`;
  return count < 10_000_000 ? `${Math.round(count / 1_000)} kB` : `${Math.round(count / 1_000_000)} MB`;
}
