import type { CapacityPlan } from './plan-capacity.ts';

/** The plan as lines for a terminal: figures in a column, then what they rest on. */
export function describePlan(plan: CapacityPlan): string {
  const { demand, rate, storage, memory, bandwidth, nodes, postgres } = plan;
  const rows: readonly (readonly [name: string, figure: string])[] = [
    ['events a second, mean', number(rate.meanPerSecond)],
    ['events a second, peak', number(rate.peakPerSecond)],
    ['bytes an event, with indexes and counts', number(storage.bytesPerEvent)],
    [`events, ${number(demand.retentionDays)} days`, size(storage.events)],
    ['commitments', size(storage.commitments)],
    ['disk of each Postgres', size(storage.perServer)],
    ['WAL a day', size(storage.walPerDay)],
    [`WAL archive, ${number(demand.walArchiveDays)} days`, size(storage.walArchive)],
    [`disk in all, ${number(demand.replicas)} replicas`, size(storage.total)],
    ['nodes for the load', number(nodes.forLoad)],
    ['nodes advised', number(nodes.advised)],
    ['memory of a node', size(memory.perNode)],
    ['of that for live stores', size(memory.liveStoresBytes)],
    ['HTTP connections of a node', number(plan.httpConnectionsPerNode)],
    ['cores of Postgres', number(postgres.cores)],
    ['max_connections of Postgres', number(postgres.connections)],
    ['from clients, peak', `${size(bandwidth.clients)}/s`],
    ['between nodes, peak', `${size(bandwidth.betweenNodes)}/s`],
    ['to replicas, peak', `${size(bandwidth.replication)}/s`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const figureWidth = Math.max(...rows.map(([, figure]) => figure.length));
  return [
    ...rows.map(([name, figure]) => `${name.padEnd(width)}  ${figure.padStart(figureWidth)}`),
    ...plan.warnings.map((warning) => `\nWATCH OUT ${warning}`),
    '\nThis assumes:',
    ...plan.assumptions.map((assumption) => `- ${assumption}`),
  ].join('\n');
}

const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** Three digits and a unit of 1,024. */
function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3)} ${units[unit]}`;
}

function number(value: number): string {
  return Math.ceil(value).toLocaleString('en-US');
}
