import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parse } from 'yaml';
import { BadSettings, readSettings } from '../../config/read-settings.ts';
import { installDebianPrograms } from '../support/debian-programs.ts';
import { type Instruction, readDockerfile } from '../support/dockerfile.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const stages = readDockerfile(read('docker/Dockerfile'));
const image = stages.at(-1)!;

function valuesOf(instructions: readonly Instruction[], name: string): string[] {
  return instructions.filter((instruction) => instruction.name === name).map(({ value }) => value);
}

/** What the build may see: everything is shut out but what the file lets in again. */
const letIn = new Set(
  read('docker/Dockerfile.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1)),
);

describe('the image', () => {
  test('is made in stages from named versions', () => {
    expect(stages.length).toBeGreaterThan(1);
    for (const { from } of stages) expect(from).toMatch(/^[a-z]+:\d[\w.-]*$/);
  });

  test('copies only what is there, from stages that come before', () => {
    for (const [index, { instructions }] of stages.entries()) {
      const earlier = stages.slice(0, index).map(({ name }) => name);
      for (const value of valuesOf(instructions, 'COPY')) {
        const words = value.split(/ +/);
        const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
        if (from !== undefined) expect(earlier).toContain(from);
        const sources = words.filter((word) => !word.startsWith('--')).slice(0, -1);
        for (const source of from === undefined ? sources : []) {
          expect(existsSync(join(root, source))).toBe(true);
          expect(source === '.' || letIn.has(source)).toBe(true);
        }
      }
    }
  });

  test('has every file that a node loads', () => {
    const loaded = loadedBy(join(root, 'bin/start.ts'));
    expect(loaded.size).toBeGreaterThan(100);
    for (const path of loaded) {
      expect(letIn).toContain(relative(root, path).split('/')[0]);
    }
    for (const name of letIn) expect(existsSync(join(root, name))).toBe(true);
  });

  test('runs a node as a user without rights, which is asked how it is and hears signals itself', () => {
    const { instructions } = image;
    const user = valuesOf(instructions, 'USER');
    expect(user).toEqual([expect.not.stringMatching(/^(root|0)\b/)]);
    // Nothing is installed or written as that user, or as root behind its back.
    const after = instructions.slice(instructions.findIndex(({ name }) => name === 'USER') + 1);
    expect(after.filter(({ name }) => name === 'RUN' || name === 'COPY')).toEqual([]);
    expect(valuesOf(instructions, 'HEALTHCHECK')).toEqual([expect.stringContaining('/health')]);
    const [command] = valuesOf(instructions, 'CMD').map((value) => JSON.parse(value) as string[]);
    expect(command?.[0]).toBe('node');
    expect(existsSync(join(root, command?.[1] ?? ''))).toBe(true);
  });
});

describe('the cluster of docker/compose.yml', () => {
  const programs = { 'docker-compose': '/usr/bin/docker-compose', haproxy: '/usr/sbin/haproxy' };
  const secrets = {
    BOOTSTRAP_ADMIN_API_KEY: 'ss_0123456789abcdef0123456789abcdef01234567',
    POSTGRES_PASSWORD: 'p0123456789',
    NATS_PASSWORD: 'n0123456789',
  };
  beforeAll(() => installDebianPrograms(programs), 300_000);

  interface Service {
    readonly environment: Readonly<Record<string, string>>;
    readonly depends_on?: Readonly<Record<string, unknown>>;
  }

  function compose(env: Readonly<Record<string, string>>): Readonly<Record<string, Service>> {
    const output = execFileSync(
      programs['docker-compose'],
      ['-f', join(root, 'docker/compose.yml'), 'config'],
      { env: { PATH: '/usr/bin:/bin', ...env }, stdio: 'pipe' },
    );
    return (parse(output.toString()) as { services: Record<string, Service> }).services;
  }

  test('is understood by docker-compose, which asks for every secret that is not set', () => {
    expect(Object.keys(compose(secrets)).sort()).toEqual([
      ...['balancer', 'nats', 'node-1', 'node-2', 'node-3', 'postgres'],
    ]);
    for (const name of Object.keys(secrets)) {
      expect(() => compose({ ...secrets, [name]: '' })).toThrow(/set it to/);
    }
  });

  test('gives each node a name of its own and settings that a node accepts', () => {
    const imageEnv = Object.fromEntries(
      valuesOf(image.instructions, 'ENV')
        .flatMap((value) => value.split(/ +/))
        .map((pair) => pair.split('=') as [string, string]),
    );
    const services = compose(secrets);
    const names = ['node-1', 'node-2', 'node-3'];
    for (const name of names) {
      const env = { ...imageEnv, ...services[name]!.environment };
      const settings = readSettings(env);
      expect(settings).toMatchObject({ nodeId: name, host: '0.0.0.0', port: 8080 });
      expect(settings.natsUrl).toContain('nats:4222');
      expect(Object.keys(services[name]!.depends_on ?? {}).sort()).toEqual(['nats', 'postgres']);
      // As the file says: as production it would want TLS to NATS, and nothing else.
      const refusal = problemOf(() => readSettings({ ...env, SEQUENCER_ENV: 'production' }));
      expect(refusal).toContain('NATS_URL');
      expect(refusal).not.toMatch(/DATABASE_URL|BOOTSTRAP_ADMIN_API_KEY/);
    }
  });

  test('has a balancer that haproxy accepts and that knows every node', () => {
    execFileSync(programs.haproxy, ['-c', '-f', join(root, 'docker/haproxy.cfg')], { stdio: 'pipe' });
    const servers = [...read('docker/haproxy.cfg').matchAll(/^ +server (\S+) (\S+)$/gm)];
    expect(servers.map(([, name, address]) => [name, address])).toEqual(
      ['node-1', 'node-2', 'node-3'].map((name) => [name, `${name}:8080`]),
    );
  });
});

function problemOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof BadSettings) return error.message;
    throw error;
  }
  return '';
}

/** The files of the project that a program imports, at whatever remove. */
function loadedBy(program: string): Set<string> {
  const found = new Set<string>([program]);
  for (const path of found) {
    if (!path.endsWith('.ts')) continue;
    const imports = readFileSync(path, 'utf8').matchAll(/^(?:import|export|\} from)[^;']*'(\.[^']+)'/gm);
    for (const [, name = ''] of imports) found.add(join(dirname(path), name));
  }
  return found;
}
