import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNatsServer } from '../../../bin/driver/nats-server.ts';
import type { ClusterBody } from '../../../services/gateway/handlers/read-cluster.ts';
import type { CellFigures } from '../../load/cell.ts';
import { percent, short, whole } from '../../report/number-text.ts';
import { nodeSettings } from '../cells.ts';
import type { Bench, MeasuredNode, Part } from '../part.ts';
import { figure, type Findings, judge } from '../report.ts';

const batch = 100;
const payload = 'nested-1k';
const connections = 24;
const streams = 24;
const pollMs = 50;
const waitMaxMs = 30_000;

interface Measured {
  readonly name: string;
  readonly figures: CellFigures;
}

/** What more nodes on the same machine cost, and what the way over NATS costs. */
export const cluster: Part = {
  name: 'cluster',
  title: 'Cluster',
  seconds: 90,
  measure: async (bench) => {
    const nats = await startNatsServer();
    bench.release(() => nats.stop());
    const apiKey = `ss_${randomBytes(24).toString('base64url')}`;
    let started = 0;
    const start = async (
      databaseUrl: string,
      env: Readonly<Record<string, string>>,
    ): Promise<MeasuredNode> => {
      started += 1;
      const own = { NODE_ID: `node-${started}`, BOOTSTRAP_ADMIN_API_KEY: apiKey, NATS_URL: nats.url };
      return bench.startNode(databaseUrl, { ...nodeSettings, ...own, ...env });
    };
    const before = await measureAlone(bench);
    const growing: Measured[] = [];
    const database = await bench.newDatabase();
    const nodes: MeasuredNode[] = [];
    for (const count of bench.pick([1, 2, 3], [1, 2, 3], [1, 2])) {
      bench.say(`${count} of a cluster`);
      nodes.push(await start(database, {}));
      await untilComplete(nodes);
      growing.push({ name: `${count} of a cluster`, figures: await measure(bench, nodes) });
    }
    for (const node of nodes) await node.stop();
    bench.say('gateway on one node, owner on another');
    const apart = await bench.newDatabase();
    const owner = await start(apart, { NODE_SERVICES: 'sequencer,commitment' });
    const gateway = await start(apart, { NODE_SERVICES: 'gateway' });
    await untilComplete([gateway], 2);
    const forwarded = await measure(bench, [gateway]);
    await Promise.all([owner.stop(), gateway.stop()]);
    const after = await measureAlone(bench);
    return findingsOf([before, after], growing, forwarded);
  },
};

/** One node without a cluster, which the others are held to. */
async function measureAlone(bench: Bench): Promise<CellFigures> {
  bench.say('one node alone');
  const alone = await bench.startNode(await bench.newDatabase(), nodeSettings);
  const figures = await measure(bench, [alone]);
  await alone.stop();
  return figures;
}

function findingsOf(
  alone: readonly CellFigures[],
  growing: readonly Measured[],
  forwarded: CellFigures,
): Findings {
  // Before the others and after them, since the speed of a machine drifts.
  const localPerSecond = alone.reduce((sum, { eventsPerSecond }) => sum + eventsPerSecond, 0) / alone.length;
  const shareOf = ({ eventsPerSecond }: CellFigures): number => eventsPerSecond / localPerSecond;
  const rows: Measured[] = [
    ...alone.map((figures, index) => ({
      name: `one node alone, ${index === 0 ? 'before' : 'after'}`,
      figures,
    })),
    ...growing,
    { name: 'gateway and owner on two nodes', figures: forwarded },
  ];
  const more = growing.slice(1);
  return {
    figures: [
      figure('cluster.alone.events_per_second', localPerSecond, 'events/s', 'higher'),
      ...growing.map(({ figures }, index) =>
        figure(`cluster.nodes-${index + 1}.share_of_alone`, shareOf(figures), 'share', 'higher'),
      ),
      figure('cluster.forwarded.share_of_local', shareOf(forwarded), 'share', 'higher'),
    ],
    targets: [
      ...more.map(({ name, figures }) =>
        judge({
          ...{ item: 7, what: `${name}, on one machine: what is left of one alone`, limit: 'at least' },
          ...{ wanted: 0.75, measured: shareOf(figures), unit: 'of the total' },
        }),
      ),
      judge({
        ...{ item: 7, what: `forwarded over NATS, ${batch} a request: of the local way`, limit: 'at least' },
        ...{ wanted: 0.6, measured: shareOf(forwarded), unit: 'of the local way' },
      }),
    ],
    tables: [
      {
        title: `${batch} events a request × ${connections} connections, ${payload}`,
        columns: ['nodes', 'events/s', 'of one alone', 'P50 / P95 / P99 ms', '503 / failed'],
        rows: rows.map(({ name, figures }) => [
          name,
          whole(figures.eventsPerSecond),
          percent(shareOf(figures)),
          [figures.p50Ms, figures.p95Ms, figures.p99Ms].map(short).join(' / '),
          `${figures.pushbacks} / ${figures.errors}`,
        ]),
      },
    ],
    charts: [
      {
        kind: 'bars',
        name: 'rates',
        title: 'Events a second of the whole cluster, on the same cores',
        says: `${batch} events a request on ${connections} connections to all gateways, ${streams} streams`,
        unit: 'events/s',
        series: ['events/s'],
        markName: 'what is to be left',
        levels: [],
        groups: rows.map(({ name, figures }, index) => ({
          name,
          bars: [
            {
              value: figures.eventsPerSecond,
              mark: index < alone.length ? null : (index === rows.length - 1 ? 0.6 : 0.75) * localPerSecond,
            },
          ],
        })),
      },
    ],
    notes: [
      `Nodes, one nats-server, Postgres and the load share the cores: more nodes can't be faster here, and what they cost is what is asked. Connections are dealt out to all gateways, so that of n nodes one in n requests is where its stream is owned, and the others go over NATS.`,
    ],
  };
}

async function measure(bench: Bench, nodes: readonly MeasuredNode[]): Promise<CellFigures> {
  const [first, ...more] = nodes;
  const { url, apiKey } = first!;
  const urls = { url, moreUrls: more.map((node) => node.url) };
  const asked = { ...urls, apiKey, tenantId: randomUUID(), payload, batch, signed: null };
  const load = bench.openLoad();
  const span = bench.pick(
    { warmUpMs: 3_000, measureMs: 6_000 },
    { warmUpMs: 800, measureMs: 800 },
    { warmUpMs: 50, measureMs: 100 },
  );
  // Of n nodes each gets one request in n, so what it compiles as it goes takes it n times as long.
  const warmUpMs = span.warmUpMs * nodes.length;
  const figures = await load.run({ ...asked, connections, streams, ...span, warmUpMs });
  load.close();
  return figures;
}

/** Waits until each of the nodes knows all of them, or so many. */
async function untilComplete(nodes: readonly MeasuredNode[], count = nodes.length): Promise<void> {
  const untilMs = performance.now() + waitMaxMs;
  for (const node of nodes) {
    while ((await membersSeenBy(node)) < count) {
      if (performance.now() > untilMs) throw new Error(`a node does not see ${count} nodes`);
      await sleep(pollMs);
    }
  }
}

async function membersSeenBy({ url, apiKey }: MeasuredNode): Promise<number> {
  const response = await fetch(`${url}/api/v1/admin/cluster`, {
    headers: { authorization: `ApiKey ${apiKey}` },
  });
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  const { nodes } = (await response.json()) as ClusterBody;
  return nodes.filter(({ state }) => state === 'answers').length;
}
