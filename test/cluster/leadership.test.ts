import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Cluster, startCluster } from '../../bin/cluster/cluster.ts';
import type { ClusterNode } from '../../bin/cluster/cluster-node.ts';
import type { ClusterBody, ClusterNodeBody } from '../../services/gateway/handlers/read-cluster.ts';
import { expectHistoryHolds } from '../support/judge-history.ts';
import { Load } from '../support/client-load.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const leaseSecs = 6;
/** What a busy machine of a test may add; the real times are printed. */
const slackMs = 4_000;
const everyEvents = 5;

let folder: string;
let cluster: Cluster;
let database: pg.Pool;
let load: Load;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sequencer-leadership-'));
  chmodSync(folder, 0o755);
  cluster = await startCluster({
    dataDir: join(folder, 'data'),
    env: {
      LEADER_LEASE_SECS: String(leaseSecs),
      COMMITMENT_EVERY_EVENTS: String(everyEvents),
    },
  });
  database = new pg.Pool({ connectionString: cluster.postgres.url, max: 2 });
  load = new Load({
    url: cluster.url,
    apiKey: cluster.adminKey,
    folder,
    stores: 3,
    writersPerStore: 1,
    eventsPerRequestMax: 4,
    timeoutMs: 20_000,
  });
}, 120_000);

afterAll(async () => {
  await load.abandon();
  await database.end();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

async function ask<Body>(node: ClusterNode, path: string): Promise<Body> {
  const headers = { authorization: `ApiKey ${cluster.adminKey}` };
  return (await (await fetch(`${node.url}${path}`, { headers })).json()) as Body;
}

/** The nodes that say that they lead, as this one sees the cluster. */
async function leadersSeenBy(node: ClusterNode, role = 'commitments'): Promise<ClusterNodeBody[]> {
  const { nodes } = await ask<ClusterBody>(node, '/api/v1/admin/cluster');
  return nodes.filter(({ leads }) => leads?.some((lead) => lead.role === role));
}

async function leader(): Promise<ClusterNode> {
  const { rows } = await database.query<{ node_id: string }>(
    `select node_id from leader_leases where role = 'commitments' and expires_at > clock_timestamp()`,
  );
  const found = cluster.nodes.find(({ name }) => name === rows[0]?.node_id);
  if (found === undefined) throw new Error('nobody leads');
  return found;
}

async function countCommitments(): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    'select count(*)::integer as count from commitments',
  );
  return rows[0]!.count;
}

/** @returns milliseconds until another node leads, and until a commitment was made after that */
async function untilReplaced(old: ClusterNode): Promise<{ leadMs: number; commitMs: number }> {
  const witness = cluster.nodes.find((node) => node !== old)!;
  const startMs = performance.now();
  await until('another leads', async () => {
    return (await leadersSeenBy(witness)).some(({ nodeId }) => nodeId !== old.name);
  });
  const leadMs = Math.round(performance.now() - startMs);
  const before = await countCommitments();
  await until('commitments go on', async () => (await countCommitments()) > before);
  return { leadMs, commitMs: Math.round(performance.now() - startMs) };
}

/** Every stream's commitments follow each other without a gap, and each is what its events are. */
async function expectWholeChains(): Promise<void> {
  const { rows } = await database.query(
    `select from (select sequence_start, lag(sequence_end) over (partition by store_number, world order by sequence_start)
                    as before from commitments) c
      where sequence_start <> coalesce(before, 0) + 1`,
  );
  expect(rows).toEqual([]);
  const fsck = ['bin/sequencer.ts', 'fsck', '--database-url', cluster.postgres.url];
  await run(process.execPath, fsck);
}

test('one node leads each role, and the view, the command, the health and the metrics say which', async () => {
  await until('commitments are made', async () => (await countCommitments()) > 5);
  const [node] = cluster.nodes;
  await until('each role has a leader', async () => {
    const roles = ['commitments', 'retention'].map((role) => leadersSeenBy(node!, role));
    return (await Promise.all(roles)).every(({ length }) => length === 1);
  });
  const { name } = await leader();
  const { components } = await ask<{ components: { leader_election: object[] } }>(node!, '/health/detailed');
  expect(components.leader_election).toContainEqual(
    expect.objectContaining({ role: 'commitments', leader: name, leads: node!.name === name, term: 1 }),
  );
  const { stdout } = await run(process.execPath, [
    ...['bin/sequencer.ts', 'cluster', '--server', cluster.url, '--key', cluster.adminKey],
  ]);
  expect(stdout).toMatch(new RegExp(`^${name} .*commitments`, 'm'));

  const headers = { authorization: `ApiKey ${cluster.adminKey}` };
  for (const { name: nodeName, url } of cluster.nodes) {
    const text = await (await fetch(`${url}/metrics`, { headers })).text();
    expect(text).toContain(`sequencer_leader{role="commitments"} ${Number(nodeName === name)}`);
    const made = Number(/^sequencer_commitments_created (\d+)$/m.exec(text)?.[1]);
    if (nodeName === name) expect(made).toBeGreaterThan(0);
    else expect(made).toBe(0);
  }
});

test('kill -9 of the leader: another takes over when the lease is over', async () => {
  const old = await leader();
  await old.kill();
  const { leadMs, commitMs } = await untilReplaced(old);
  console.log(`killed: another leads after ${leadMs} ms and commits after ${commitMs} ms`);
  expect(leadMs).toBeLessThan(leaseSecs * 1_000 + slackMs);
  await old.start();
  await cluster.untilComplete();
});

test('a leader that stops in an orderly way hands over at once', async () => {
  const old = await leader();
  const leaving = old.leave();
  const { leadMs, commitMs } = await untilReplaced(old);
  console.log(`stopped: another leads after ${leadMs} ms and commits after ${commitMs} ms`);
  expect(leadMs).toBeLessThan(leaseSecs * 500); // Two thirds of the lease are left at least.
  await leaving;
  await old.start();
  await cluster.untilComplete();
});

test('a frozen leader is replaced, and what it does before it notices changes nothing', async () => {
  const old = await leader();
  old.pause();
  const { leadMs, commitMs } = await untilReplaced(old);
  console.log(`frozen: another leads after ${leadMs} ms and commits after ${commitMs} ms`);
  old.resume();
  const witness = cluster.nodes.find((node) => node !== old)!;
  await cluster.untilComplete();
  await until('it has noticed', async () => {
    const leaders = await leadersSeenBy(witness);
    return leaders.length === 1 && leaders[0]!.nodeId !== old.name;
  });
  await load.finish();
  await expectHistoryHolds(load.history.path);
  await expectWholeChains();
}, 120_000);
