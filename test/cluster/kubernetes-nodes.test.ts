import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServer, startNatsServer } from '../../bin/driver/nats-server.ts';
import { type NodeProcess, startNodeProcess } from '../../bin/driver/node-process.ts';
import { SequencerClient } from '../../bin/driver/sequencer-client.ts';
import { newEvent, newStore } from '../support/client-load.ts';
import { installDebianPrograms } from '../support/debian-programs.ts';
import { environmentOf, findDocument, nodesOf, readTiers } from '../support/kubernetes-documents.ts';
import { findPostgresPrograms } from '../support/postgres-programs.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';

const adminKey = 'ss_0123456789abcdef0123456789abcdef01234567';
const metricsToken = 'metrics-0123456789abcdef0123456789abcdef';
const { documents } = readTiers().find(({ tier }) => tier === 'production')!;

let folder: string;
let postgres: PostgresServer;
let nats: NatsServer;
const running: NodeProcess[] = [];

beforeAll(async () => {
  installDebianPrograms({ openssl: '/usr/bin/openssl' });
  folder = mkdtempSync(join(tmpdir(), 'sequencer-kubernetes-'));
  chmodSync(folder, 0o755); // Postgres does not run as root, so another user must get in.
  const [key, cert] = [join(folder, 'server.key'), join(folder, 'ca.crt')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const hosts = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const names = ['-days', '1', '-subj', '/CN=localhost', '-addext', hosts];
  execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const user = ['--user', 'sequencer', '--pass', 'secret'];
  nats = await startNatsServer({ extraArguments: ['--tls', '--tlscert', cert, '--tlskey', key, ...user] });
  const programs = findPostgresPrograms('debian');
  // Postgres wants its key for itself.
  const ownKey = join(folder, 'postgres.key');
  copyFileSync(key, ownKey);
  chownSync(ownKey, programs.user.uid, programs.user.gid);
  postgres = await startPostgresServer(programs, [
    'ssl=on',
    `ssl_cert_file=${cert}`,
    `ssl_key_file=${ownKey}`,
  ]);
}, 60_000);
afterAll(async () => {
  await Promise.all(running.map((node) => node.stop(10_000)));
  await nats.stop();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/**
 * A node as its container has it: production, the settings and secrets of the manifest, and Node.js keeps it from writing anywhere
 * but in the one volume. Only addresses and paths differ.
 */
async function startPod(component: string, podName: string): Promise<NodeProcess> {
  const { container } = nodesOf(documents).find((node) => node.component === component)!;
  const dataDir = join(folder, podName);
  mkdirSync(dataDir);
  const secret = {
    DATABASE_URL: `${postgres.url}?sslmode=verify-full&sslrootcert=${join(folder, 'ca.crt')}`,
    NATS_URL: `tls://sequencer:secret@localhost:${nats.port}`,
    BOOTSTRAP_ADMIN_API_KEY: adminKey,
    METRICS_TOKEN: metricsToken,
    VES_SEQUENCER_SIGNING_KEY: '0123456789abcdef'.repeat(4),
    PAYLOAD_ENCRYPTION_KEYS: 'fedcba9876543210'.repeat(4),
  };
  const node = await startNodeProcess({
    env: {
      ...environmentOf(container, secret, podName),
      NATS_TLS_CA: join(folder, 'ca.crt'),
      SEQUENCER_ENV: 'production',
      LOG_FORMAT: 'json',
      HOST: '127.0.0.1',
      DATA_DIR: dataDir,
      NODE_OPTIONS: `--permission --allow-fs-read=* --allow-fs-write=${dataDir}`,
    },
  });
  running.push(node);
  return node;
}

test('nodes run as the manifests have them, write nothing but their volume, and end in the time that they are given', async () => {
  const sequencer = await startPod('sequencer', 'sequencer-0');
  const gateway = await startPod('gateway', 'gateway-7d9f8c6b54-x2x9z');
  const client = new SequencerClient({ url: gateway.url, apiKey: adminKey, connectionsMax: 1 });
  const store = newStore();
  await until('an event is acknowledged', async () => {
    const outcome = await client.append(store, '33333333-3333-4333-8333-333333333333', [newEvent()]);
    return outcome.kind === 'acknowledged';
  });
  expect(await client.head(store)).toBe(1);

  // The way in that the service monitor has.
  const [endpoint] = findDocument(documents, 'ServiceMonitor', 'sequencer').spec.endpoints;
  const headers = { authorization: `${endpoint.authorization.type} ${metricsToken}` };
  for (const { url } of [sequencer, gateway]) {
    const metrics = await fetch(`${url}${endpoint.path}`, { headers });
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toMatch(/^sequencer_uptime_seconds /m);
  }

  const began = performance.now();
  for (const node of running) node.kill('SIGTERM');
  expect(await Promise.all(running.map(({ ended }) => ended))).toEqual([
    { code: 0, signal: null },
    { code: 0, signal: null },
  ]);
  for (const { pod } of nodesOf(documents)) {
    expect(performance.now() - began).toBeLessThan(pod.terminationGracePeriodSeconds! * 1_000);
  }
  expect(readdirSync(join(folder, 'sequencer-0'))).toContainEqual(expect.stringMatching(/^known-heads-/));
  client.close();
}, 120_000);
