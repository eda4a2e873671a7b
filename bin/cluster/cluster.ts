import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterBody } from '../../services/gateway/handlers/read-cluster.ts';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../../storage/embedded/embedded-postgres.ts';
import { adminKeyFile } from '../admin-key.ts';
import { openDataDir } from '../data-dir.ts';
import { findFreePort } from '../driver/free-port.ts';
import { guardPostgres } from '../driver/guard.ts';
import { type NatsServer, startNatsServer } from '../driver/nats-server.ts';
import { Releases } from '../releases.ts';
import { ClusterNode } from './cluster-node.ts';
import { RoundRobinProxy } from './round-robin-proxy.ts';

export interface ClusterOptions {
  /** Everything that the cluster keeps; made when missing. One cluster at a time. */
  readonly dataDir: string;
  /** 3 unless given. */
  readonly nodes?: number;
  /** Of the proxy; any free one when 0, as it is unless given. */
  readonly port?: number;
  /** More settings for every node. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told what happens, in the words of a person who waits for it. */
  readonly onProgress?: (sentence: string) => void;
}

/** Enough for the pools and append connections of this many nodes, and for people with psql. */
const connectionsPerNode = 20;
const spareConnections = 40;
const memberPollMs = 50;
const stopMs = 30_000;
const postgresStopMs = 70_000;

/**
 * Starts a whole cluster on loopback: Postgres, a nats-server, nodes that share the two, and a proxy in front. All are
 * processes of their own but the proxy, and all end with this process, however that ends.
 *
 * @throws Error, StartProblem or LogUnfit with a sentence for the user; then nothing is left running
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { nodes: count = 3, port = 0, onProgress = () => undefined } = options;
  const releases = new Releases();
  try {
    const dataDir = await openDataDir(options.dataDir);
    releases.add('give the data directory free', stopMs, () => dataDir.release());
    const ports: number[] = [];
    while (ports.length < count) ports.push(await findFreePort());
    // First, since a port that is taken should be known before anything else is made.
    const proxy = await RoundRobinProxy.open(
      ports.map((nodePort) => `http://127.0.0.1:${nodePort}`),
      port,
    );
    releases.add('close the proxy', stopMs, () => proxy.close());
    const adminKey = (await dataDir.read(adminKeyFile)) ?? `ss_${randomBytes(24).toString('base64url')}`;
    await dataDir.write(adminKeyFile, adminKey);

    const postgres = await openEmbeddedPostgres({
      dataDir: dataDir.path,
      connectionsMax: count * connectionsPerNode + spareConnections,
      keepRunning: false,
      onProgress,
    });
    const guard = guardPostgres(postgres.dataDirectory);
    releases.add('stop Postgres', postgresStopMs, async () => {
      await postgres.stop();
      guard.release();
    });
    onProgress('starting nats-server');
    const nats = await startNatsServer();
    releases.add('stop nats-server', stopMs, () => nats.stop());

    onProgress(`starting ${count} nodes`);
    const nodes = ports.map((nodePort, index) =>
      openNode(`node-${index + 1}`, nodePort, {
        dataDir: dataDir.path,
        env: {
          DATABASE_URL: postgres.url,
          NATS_URL: nats.url,
          BOOTSTRAP_ADMIN_API_KEY: adminKey,
          // Longer than the proxy takes to look at /ready, so that it looks away before a node leaves.
          SHUTDOWN_DELAY_SECS: '1',
          ...options.env,
        },
      }),
    );
    releases.add('stop the nodes', stopMs, async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    });
    // The first brings the schema; the others find it.
    for (const node of nodes) await node.start();
    const parts = { adminKey, dataDir: dataDir.path, postgres, nats, nodes, proxy, releases };
    const cluster = new Cluster(parts);
    await cluster.untilComplete();
    return cluster;
  } catch (error) {
    await releases.runAll();
    throw error;
  }
}

function openNode(
  name: string,
  port: number,
  { dataDir, env }: { readonly dataDir: string; readonly env: Readonly<Record<string, string>> },
): ClusterNode {
  const ownDir = join(dataDir, name);
  mkdirSync(ownDir, { recursive: true });
  const logFile = join(dataDir, `${name}.log`);
  return new ClusterNode({ name, port, logFile, env: { NODE_ID: name, DATA_DIR: ownDir, ...env } });
}

interface ClusterParts {
  readonly adminKey: string;
  readonly dataDir: string;
  readonly postgres: EmbeddedPostgres;
  readonly nats: NatsServer;
  readonly nodes: readonly ClusterNode[];
  readonly proxy: RoundRobinProxy;
  readonly releases: Releases;
}

/** A running cluster, and the ways to hurt it. */
export class Cluster {
  /** Of an administrator, known to every node. */
  readonly adminKey: string;
  readonly dataDir: string;
  readonly postgres: EmbeddedPostgres;
  readonly nats: NatsServer;
  readonly nodes: readonly ClusterNode[];
  private readonly proxy: RoundRobinProxy;
  private readonly releases: Releases;

  constructor({ adminKey, dataDir, postgres, nats, nodes, proxy, releases }: ClusterParts) {
    this.adminKey = adminKey;
    this.dataDir = dataDir;
    this.postgres = postgres;
    this.nats = nats;
    this.nodes = nodes;
    this.proxy = proxy;
    this.releases = releases;
  }

  /** Of the proxy. */
  get url(): string {
    return this.proxy.url;
  }

  /**
   * Waits until every node knows every other.
   * @throws Error when that takes longer than the time given
   */
  async untilComplete(timeoutMs = 30_000): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    for (const { name, url } of this.nodes) {
      while ((await this.membersSeenBy(url)) < this.nodes.length) {
        if (performance.now() > deadlineMs) throw new Error(`${name} does not see all nodes: see its log`);
        await sleep(memberPollMs);
      }
    }
  }

  /** Each node in turn leaves, and is back and ready before the next one goes. */
  async rollingRestart(): Promise<void> {
    for (const node of this.nodes) {
      await node.leave();
      await node.start();
    }
  }

  private async membersSeenBy(url: string): Promise<number> {
    const headers = { authorization: `ApiKey ${this.adminKey}` };
    const response = await fetch(`${url}/api/v1/admin/cluster`, { headers });
    if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
    const { nodes } = (await response.json()) as ClusterBody;
    return nodes.filter(({ state }) => state === 'answers').length;
  }

  /** Stops everything, the last started first. A second call waits for the first. */
  stop(): Promise<void> {
    return this.releases.runAll();
  }
}
