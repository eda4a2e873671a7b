import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { parse } from 'yaml';
import { findFreePort } from '../../bin/driver/free-port.ts';
import { guardProcess } from '../../bin/driver/guard.ts';
import { findPrometheusPrograms } from '../../bin/driver/prometheus-programs.ts';
import { PrometheusServer } from '../../bin/driver/prometheus-server.ts';
import { readSettings } from '../../config/read-settings.ts';
import { installDebianPrograms } from '../support/debian-programs.ts';
import { adminKey, TestNodes } from '../support/node-process.ts';
import { findPostgresPrograms } from '../support/postgres-programs.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { promtool } from '../support/prometheus-rules.ts';
import { until } from '../support/until.ts';

const docker = join(import.meta.dirname, '../../docker');
const program = '/usr/bin/docker-compose';
const secrets = {
  BOOTSTRAP_ADMIN_API_KEY: adminKey,
  POSTGRES_PASSWORD: 'p0123456789',
  NATS_PASSWORD: 'n0123456789',
  GRAFANA_PASSWORD: 'g0123456789',
  METRICS_TOKEN: 'm0123456789m0123456789m0123456789',
};

interface Service {
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
}

function compose(
  additions: readonly string[],
  env: Readonly<Record<string, string>> = secrets,
): Readonly<Record<string, Service>> {
  const files = ['compose.yml', ...additions].flatMap((file) => ['-f', join(docker, file)]);
  const output = execFileSync(program, [...files, 'config'], {
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: 'pipe',
  });
  return (parse(output.toString()) as { services: Record<string, Service> }).services;
}

/** Of a service, the files and directories of ours that it sees, by their place in the container. */
function mountsOf({ volumes = [] }: Service): ReadonlyMap<string, string> {
  return new Map(
    volumes
      .map((volume) => volume.split(':') as [string, string])
      .filter(([source]) => source.startsWith(docker))
      .map(([source, target]) => [target, source]),
  );
}

let folder: string;
beforeAll(() => installDebianPrograms({ 'docker-compose': program }), 300_000);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sequencer-compose-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('docker/compose.monitoring.yml', () => {
  test('adds Prometheus, an exporter of the machine, and Grafana, and asks for every secret that is not set', () => {
    const added = Object.keys(compose(['compose.monitoring.yml'])).filter((name) => !(name in compose([])));
    expect(added.sort()).toEqual(['grafana', 'node-exporter', 'prometheus']);
    for (const name of ['METRICS_TOKEN', 'GRAFANA_PASSWORD']) {
      expect(() => compose(['compose.monitoring.yml'], { ...secrets, [name]: '' })).toThrow(/set it to/);
    }
  });

  test('shows Prometheus and Grafana files that are there, at the places where they look', () => {
    const { prometheus, grafana } = compose(['compose.monitoring.yml']);
    const [ours, theirs] = [mountsOf(prometheus!), mountsOf(grafana!)];
    expect([...ours.keys()].sort()).toEqual(
      ['alerts.yml', 'prometheus.yml', 'slo.yml'].map((file) => `/etc/prometheus/${file}`),
    );
    for (const source of [...ours.values(), ...theirs.values()]) expect(existsSync(source)).toBe(true);
    const provisioning = theirs.get('/etc/grafana/provisioning')!;
    const providers = parse(readFileSync(join(provisioning, 'dashboards/sequencer.yml'), 'utf8')) as {
      providers: { options: { path: string } }[];
    };
    expect(theirs.get(providers.providers[0]!.options.path)).toBe(join(docker, 'grafana/dashboards'));
    const sources = parse(readFileSync(join(provisioning, 'datasources/prometheus.yml'), 'utf8')) as {
      datasources: { url: string }[];
    };
    expect(sources.datasources[0]!.url).toBe('http://prometheus:9090');
  });

  test('has a Prometheus that scrapes every node of the cluster, and the exporter', () => {
    const services = compose(['compose.monitoring.yml']);
    const { scrape_configs: jobs } = parse(
      readFileSync(join(docker, 'prometheus/prometheus.yml'), 'utf8'),
    ) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    const targets = jobs.flatMap(({ static_configs: some }) => some.flatMap((one) => one.targets));
    const nodes = Object.keys(services).filter((name) => /^node-\d$/.test(name));
    expect(targets).toEqual([...nodes.map((name) => `${name}:8080`), 'node-exporter:9100']);
    expect(services['node-exporter']).toBeDefined();
  });

  test('starts a Prometheus that accepts its configuration, and whose token a node accepts', async () => {
    const { prometheus } = compose(['compose.monitoring.yml']);
    // The places in the container are places in a folder; everything else is as it is there.
    const here = (text: string): string =>
      text.replaceAll(/(?<=^|[\s="])\/(etc\/)?prometheus(?=[/\s"]|$)/g, (path) => join(folder, path));
    for (const [target, source] of mountsOf(prometheus!)) {
      mkdirSync(dirname(here(target)), { recursive: true });
      copyFileSync(source, here(target));
    }
    mkdirSync(here('/etc/prometheus/secrets'));
    const nodes = new TestNodes();
    const database = await createTestDatabase('embedded');
    const node = await nodes.start({ DATABASE_URL: database.url, METRICS_TOKEN: secrets.METRICS_TOKEN });
    const file = here('/etc/prometheus/prometheus.yml');
    const configuration = readFileSync(file, 'utf8')
      .replace('/etc/prometheus/secrets', here('/etc/prometheus/secrets'))
      .replace(/'node-1:8080'.*'node-3:8080'/, `'${new URL(node.url).host}'`)
      .replace('scrape_interval: 15s', 'scrape_interval: 1s');
    writeFileSync(file, configuration);

    const [shell, flags, script, name] = prometheus!.entrypoint!;
    const port = await findFreePort();
    const child = spawn(
      shell!,
      [
        flags!,
        // docker-compose writes a dollar twice.
        here(script!.replaceAll('$$', '$')).replace('/bin/prometheus', findPrometheusPrograms().prometheus),
        name!,
        ...prometheus!.command!.map((argument) => argument.replace(':9090', `127.0.0.1:${port}`)),
      ],
      {
        env: { PATH: '/usr/bin:/bin', ...prometheus!.environment },
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true,
      },
    );
    const server = new PrometheusServer(child, `http://127.0.0.1:${port}`);
    try {
      await server.becomeReady();
      const key = here('/etc/prometheus/secrets/metrics-token');
      expect(readFileSync(key, 'utf8')).toBe(secrets.METRICS_TOKEN);
      expect(statSync(key).mode & 0o777).toBe(0o600);
      // All of it, with the rules and the token.
      promtool('check', 'config', file);
      await until('the node is scraped', async () => {
        const now = Date.now() / 1_000;
        const range = { startSecs: now - 10, endSecs: now, stepSecs: 1 };
        const up = await server.queryRange('up{job="sequencer",tier="production"}', range);
        return up.some(({ points }) => points.at(-1)?.[1] === 1);
      });
    } finally {
      await server.stop();
      await nodes.stop();
      await database.drop();
    }
  }, 120_000);
});

describe('docker/compose.replica.yml', () => {
  test('gives every node a replica to read from, by settings that a node accepts', () => {
    const services = compose(['compose.replica.yml']);
    expect(Object.keys(services).filter((name) => !(name in compose([])))).toEqual(['postgres-replica']);
    for (const name of ['node-1', 'node-2', 'node-3']) {
      const settings = readSettings(services[name]!.environment);
      expect(new URL(settings.readDatabaseUrl!).hostname).toBe('postgres-replica');
      expect(settings).toMatchObject(readSettingsOf(compose([])[name]!));
    }
    expect(services['postgres-replica']!.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    for (const name of ['postgres', 'postgres-replica']) {
      const mounts = mountsOf(services[name]!);
      for (const source of mounts.values()) expect(existsSync(source)).toBe(true);
      const hba = services[name]!.command!.find((argument) => argument.startsWith('hba_file='))!;
      expect(mounts.has(hba.slice('hba_file='.length))).toBe(true);
    }
    const [, script] = services['postgres-replica']!.entrypoint!;
    expect(mountsOf(services['postgres-replica']!).has(script!)).toBe(true);
  });

  test('has a replica that copies the primary with a password, follows it, and goes on following when it comes back', async () => {
    const programs = findPostgresPrograms('debian');
    const primary = await startPostgresServer(programs, ['wal_level=replica']);
    const password = 'p0123456789';
    await ask(primary.url, `create role sequencer superuser login password '${password}'`);
    const [row] = await ask(primary.url, "select current_setting('hba_file') as file");
    copyFileSync(join(docker, 'postgres/pg_hba.conf'), String(row!.file));
    await ask(primary.url, 'select pg_reload_conf()');
    const url = new URL(primary.url);
    [url.username, url.password] = ['sequencer', password];
    await until('the file is in force', () =>
      ask(primary.url, 'select 1').then(
        () => false,
        () => true,
      ),
    );
    const unreadable = await ask(url.href, 'select * from pg_hba_file_rules where error is not null');
    expect(unreadable).toEqual([]);

    const { uid, gid } = programs.user;
    chownSync(folder, uid, gid);
    // The clone may lie where only root gets in.
    const script = join(folder, 'follow-primary.sh');
    copyFileSync(join(docker, 'postgres/follow-primary.sh'), script);
    const data = join(folder, '15/data');
    const port = await findFreePort();
    const replicaUrl = new URL(url.href);
    replicaUrl.port = String(port);
    const follow = (primaryUrl: string): ChildProcess =>
      spawn(
        'bash',
        [
          script,
          // As many connections as the primary, or it refuses to follow; and no wait for each file of the copy to be synced.
          ...['max_connections=200', 'recovery_init_sync_method=syncfs'].flatMap((setting) => [
            '-c',
            setting,
          ]),
          ...['-c', `port=${port}`, '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
        ],
        {
          env: { PATH: `${programs.bin}:/usr/bin:/bin`, PGDATA: data, PRIMARY_URL: primaryUrl },
          ...{ uid, gid, cwd: '/', stdio: 'ignore' },
        },
      );
    const reads = async (count: number): Promise<void> => {
      await until(`the replica has ${count} rows`, async () => {
        const asked = ask(replicaUrl.href, 'select pg_is_in_recovery() as follows, count(*) from things');
        const [row] = await asked.catch(() => []);
        return row?.follows === true && Number(row.count) === count;
      });
    };
    await ask(url.href, 'create table things (name text)');
    try {
      const wrong = new URL(url.href);
      wrong.password = 'another';
      expect(await codeOf(follow(wrong.href))).not.toBe(0);
      expect(existsSync(data)).toBe(false);

      for (const count of [1, 2]) {
        const replica = follow(url.href);
        const guard = guardProcess(replica.pid!);
        try {
          await ask(url.href, `insert into things values ('${count}')`);
          await reads(count);
        } finally {
          replica.kill('SIGINT'); // Postgres' fast shutdown.
          expect(await codeOf(replica)).toBe(0);
          guard.release();
        }
      }
    } finally {
      await primary.stop();
    }
  }, 120_000);
});

function readSettingsOf({ environment }: Service): object {
  const { readDatabaseUrl: _, warnings: _warnings, ...rest } = readSettings(environment);
  return rest;
}

function codeOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', resolve));
}

async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // The statement fails as well.
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
