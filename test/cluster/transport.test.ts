import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context, ServiceSchema } from 'moleculer';
import type { NatsConnection } from 'nats';
import { natsConnectionOptions } from '../../bin/nats-connection.ts';
import { readSettings } from '../../config/read-settings.ts';
import { type NatsServer, type NatsServerOptions, startNatsServer } from '../../bin/driver/nats-server.ts';
import {
  AppendOutcomeUnknown,
  AppendRefused,
  Fenced,
  InvariantBroken,
  MailboxFull,
  Refused,
  type SequencerError,
  ShuttingDown,
} from '../../domain/errors.ts';
import { readError, toBrokerError } from '../../services/broker-errors.ts';
import { NodeCircuits } from '../../services/transport/node-circuits.ts';
import { circuitLimits } from '../../domain/resilience/circuit-breaker.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { NatsRefused } from '../../services/transport/nats-refused.ts';
import { NodeNameTaken } from '../../services/transport/node-name.ts';
import { OpenBrokers, type OpenedBroker } from '../support/open-brokers.ts';
import { until } from '../support/until.ts';

let nats: NatsServer;
let brokers: OpenBrokers;
const ownServers: NatsServer[] = [];
/** For a test that hurts it, or wants another kind. */
async function ownServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const server = await startNatsServer(options);
  ownServers.push(server);
  return server;
}

const connection = () => ({ servers: [`127.0.0.1:${nats.port}`] });

beforeAll(async () => {
  nats = await startNatsServer();
});
beforeEach(() => {
  brokers = new OpenBrokers();
});
afterEach(async () => {
  for (const server of ownServers) server.resume();
  await brokers.stopAll();
  await Promise.all(ownServers.splice(0).map((server) => server.kill()));
});
afterAll(() => nats.stop());

const failures: SequencerError[] = [
  new Refused('WRONG_SHAPE', 'why', { field: 'events' }),
  new MailboxFull('why'),
  new ShuttingDown('why'),
  new Fenced('why', { claimant: 'node-2', epoch: 7 }),
  new AppendOutcomeUnknown('why'),
  new AppendRefused('why'),
  new InvariantBroken('why', { head: 3 }),
];

/** What one node offers and the other calls. */
function peer(onHold: () => Promise<void> = () => Promise.resolve()): ServiceSchema {
  return {
    name: 'peer',
    actions: {
      echo: (ctx: Context<{ body: Uint8Array }>) => ctx.params.body,
      describe: ({ params: { body }, meta }: Context<{ body: Uint8Array }>) => ({
        isBytes: body instanceof Uint8Array,
        length: body.length,
        meta,
      }),
      hold: async () => {
        await onHold();
        return 'held';
      },
      fail: ({ params: { index } }: Context<{ index: number }>) => {
        throw toBrokerError(failures[index]);
      },
    },
  };
}

/** Silence counts late unless a test is about it: the two share one process, and it a busy machine. */
async function openPair(
  services: ServiceSchema[] = [peer()],
  options: { readonly silenceMs?: number } = {},
): Promise<{ caller: OpenedBroker; owner: OpenedBroker }> {
  const owner = await brokers.open({ nodeId: 'owner', connection: connection(), services, ...options });
  const caller = await brokers.open({ nodeId: 'caller', connection: connection(), ...options });
  await caller.broker.waitForServices('peer', 5_000);
  return { caller, owner };
}

describe('between two nodes', () => {
  test.each([0, 1, 100_000, 1_048_000, 1_048_576, 1_100_000, 10_485_760])(
    '%i bytes travel as bytes, there and back, through a server that takes 1 MiB',
    async (length) => {
      const { caller } = await openPair();
      const body = randomBytes(length);
      const back = await caller.broker.call<Uint8Array, object>('peer.echo', { body });
      expect(back).toBeInstanceOf(Uint8Array);
      expect(Buffer.from(back).equals(body)).toBe(true);
    },
  );

  test('many long messages at once keep apart', async () => {
    const { caller } = await openPair();
    const bodies = Array.from({ length: 10 }, () => randomBytes(2_500_000));
    const backs = await Promise.all(
      bodies.map((body) => caller.broker.call<Uint8Array, object>('peer.echo', { body })),
    );
    expect(backs.map((back, index) => Buffer.from(back).equals(bodies[index]!))).toEqual(
      bodies.map(() => true),
    );
  });

  test('the ids of request and trace travel with the call', async () => {
    const { caller } = await openPair();
    const meta = { requestId: 'from-the-client', traceparent: '00-aa-bb-01' };
    expect(await caller.broker.call('peer.describe', { body: Buffer.from('abc') }, { meta })).toEqual({
      isBytes: true,
      length: 3,
      meta,
    });
  });

  test('an error reads there as it does here, whatever its kind', async () => {
    const { caller } = await openPair();
    for (const [index, failure] of failures.entries()) {
      const error = await caller.broker.call('peer.fail', { index }).catch((reason: unknown) => reason);
      expect(readError(error)).toEqual(readError(failure));
    }
  });

  test('calls and bytes under way to one node are bounded, and what is beyond is pushed back', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    await brokers.open({ nodeId: 'owner', connection: connection(), services: [peer(() => held)] });
    const { broker, cluster } = await brokers.open({
      nodeId: 'caller',
      connection: connection(),
      linkLimits: { callsMax: 3, bytesMax: 1_000 },
    });
    await broker.waitForServices('peer', 5_000);
    const hold = (bytes: number) => broker.call('peer.hold', { body: Buffer.alloc(bytes) });
    const first = [hold(400), hold(400)];
    await expect(hold(400)).rejects.toMatchObject({ type: 'NODE_LINK_FULL', retryable: true });
    const third = hold(100);
    await expect(hold(0)).rejects.toMatchObject({ type: 'NODE_LINK_FULL', data: { kind: 'pushback' } });
    release();
    expect(await Promise.all([...first, third])).toEqual(['held', 'held', 'held']);
    expect(cluster.bounds.loadOf('owner')).toEqual({ calls: 0, bytes: 0 });
    expect(await hold(1_000)).toBe('held');
  });

  test('a call that runs out of time counts no longer', async () => {
    await brokers.open({
      nodeId: 'owner',
      connection: connection(),
      services: [peer(() => new Promise(() => undefined))],
    });
    const { broker, cluster } = await brokers.open({ nodeId: 'caller', connection: connection() });
    await broker.waitForServices('peer', 5_000);
    await expect(broker.call('peer.hold', {}, { timeout: 100 })).rejects.toMatchObject({
      type: 'REQUEST_TIMEOUT',
    });
    expect(cluster.bounds.loadOf('owner')).toEqual({ calls: 0, bytes: 0 });
    expect(broker.transit?.pendingRequests.size).toBe(0);
  });
});

test('a node that lives and answers nothing is spared after some calls, but for those who ask how it is', async () => {
  const clock = new ManualClock();
  const changes: string[] = [];
  const circuits = new NodeCircuits({
    limits: { ...circuitLimits, failuresMax: 3 },
    clock,
    random: () => 0,
    onChange: ({ name, state }) => changes.push(`${name} ${state}`),
  });
  let isMute = true;
  let asked = 0;
  const mute = (): Promise<void> => {
    asked += 1;
    return isMute ? new Promise(() => undefined) : Promise.resolve();
  };
  const node = { name: 'node', actions: { describe: mute } };
  await brokers.open({ nodeId: 'owner', connection: connection(), services: [peer(mute), node] });
  const { broker } = await brokers.open({ nodeId: 'caller', connection: connection(), circuits });
  await broker.waitForServices(['peer', 'node'], 5_000);
  const hold = (timeout: number) => broker.call('peer.hold', {}, { timeout });

  // Whoever gives up soon has proved nothing.
  for (let calls = 0; calls < 5; calls += 1) {
    await expect(hold(50)).rejects.toMatchObject({ type: 'REQUEST_TIMEOUT' });
  }
  // An answer is an answer, whatever it says.
  await expect(broker.call('peer.fail', { index: 6 })).rejects.toMatchObject({ type: 'INVARIANT_BROKEN' });
  expect(circuits.figures).toMatchObject([
    { name: 'node owner', state: 'closed', failures: 0, successes: 1 },
  ]);

  const late = await Promise.allSettled([hold(1_000), hold(1_000), hold(1_000)]);
  expect(late.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  asked = 0;
  await expect(hold(1_000)).rejects.toMatchObject({ type: 'CIRCUIT_OPEN', data: { kind: 'pushback' } });
  expect(asked).toBe(0);
  await expect(broker.call('node.describe', {}, { timeout: 50 })).rejects.toMatchObject({
    type: 'REQUEST_TIMEOUT',
  });
  expect(asked).toBe(1);

  isMute = false;
  clock.advance(30_000);
  expect(await Promise.all([hold(1_000), hold(1_000), hold(1_000)])).toEqual(['held', 'held', 'held']);
  expect(changes).toEqual(['node owner open', 'node owner half_open', 'node owner closed']);
});

describe('a node that goes away', () => {
  test('is found out by the next call, which fails at once and reached nobody', async () => {
    const { caller, owner } = await openPair();
    await until('the link has settled', () => caller.cluster.link.inModeForMs > 3_000);
    await owner.kill();
    const startMs = performance.now();
    await expect(caller.broker.call('peer.hold')).rejects.toMatchObject({ type: 'SERVICE_NOT_AVAILABLE' });
    expect(performance.now() - startMs).toBeLessThan(5_000);
    await expect(caller.broker.call('peer.hold')).rejects.toMatchObject({ type: 'SERVICE_NOT_AVAILABLE' });
    expect(caller.broker.registry.nodes.get('owner')?.available).toBe(false);
  });

  test('fails the calls that wait for it once it has been silent for too long', async () => {
    const { caller, owner } = await openPair([peer(() => new Promise(() => undefined))], {
      silenceMs: 1_500,
    });
    const waiting = caller.broker.call('peer.hold');
    const startMs = performance.now();
    await owner.kill();
    await expect(waiting).rejects.toMatchObject({ type: 'REQUEST_REJECTED' });
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  test('and comes back fails the calls that may have got lost meanwhile', async () => {
    let isHeld = false;
    const never = () => {
      isHeld = true;
      return new Promise<void>(() => undefined);
    };
    const { caller, owner } = await openPair([peer(never)]);
    const waiting = caller.broker.call('peer.hold');
    waiting.catch(() => undefined); // Until it is expected to fail.
    await until('the call is under way', () => isHeld);
    const { connection: broken } = owner.cluster.link as unknown as { connection: NatsConnection };
    await broken.reconnect();
    const startMs = performance.now();
    await expect(waiting).rejects.toMatchObject({ type: 'REQUEST_REJECTED' });
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });

  test('that says so gets no more calls, and still answers', async () => {
    const { caller, owner } = await openPair();
    await owner.cluster.announceLeave(owner.broker);
    await until('the caller knows', () => {
      const metadata = caller.broker.registry.nodes.get('owner')?.metadata;
      return metadata?.leaving === true;
    });
    expect(await caller.broker.call('peer.hold')).toBe('held');
  });
});

describe('NATS', () => {
  test('may come after the node, and may go and come back', async () => {
    const own = await ownServer();
    await own.kill();
    const servers = [`127.0.0.1:${own.port}`];
    const owner = await brokers.open({ nodeId: 'owner', connection: { servers }, services: [peer()] });
    const caller = await brokers.open({ nodeId: 'caller', connection: { servers } });
    expect([caller.cluster.state, caller.cluster.mayClaim()]).toEqual(['joining', false]);
    expect(caller.cluster.problem).toContain('ECONNREFUSED');
    await own.start();
    await until('both have joined', () => [owner, caller].every(({ cluster }) => cluster.mayClaim()));
    await caller.broker.waitForServices('peer', 5_000);
    expect(await caller.broker.call('peer.hold')).toBe('held');

    await own.kill();
    await until('the caller knows', () => caller.cluster.state === 'cut off');
    expect(caller.cluster.mayClaim()).toBe(false);
    await expect(caller.broker.call('peer.hold')).rejects.toMatchObject({ type: 'SERVICE_NOT_AVAILABLE' });
    await own.start();
    await until('both are back', () => [owner, caller].every(({ cluster }) => cluster.mayClaim()));
    await until('calls go through', () =>
      caller.broker.call('peer.hold').then(
        () => true,
        () => false,
      ),
    );
  });

  test('that no longer delivers makes nobody dead: the node calls no one until its heartbeats come back', async () => {
    const own = await ownServer();
    const servers = [`127.0.0.1:${own.port}`];
    await brokers.open({ nodeId: 'owner', connection: { servers }, services: [peer()], silenceMs: 1_500 });
    const caller = await brokers.open({ nodeId: 'caller', connection: { servers }, silenceMs: 1_500 });
    await caller.broker.waitForServices('peer', 5_000);
    own.pause();
    const waiting = caller.broker.call('peer.hold');
    await expect(waiting).rejects.toMatchObject({ type: 'REQUEST_REJECTED' });
    await until('the caller knows', () => caller.cluster.state === 'cut off');
    expect(caller.cluster.mayClaim()).toBe(false);
    expect(caller.broker.registry.nodes.get('owner')?.available).toBe(true);
    own.resume();
    await until('calls go through', () =>
      caller.broker.call('peer.hold').then(
        () => true,
        () => false,
      ),
    );
  });

  test('lets in who has the password, and refuses the others by name', async () => {
    const own = await ownServer({ extraArguments: ['--user', 'sequencer', '--pass', 'secret'] });
    const servers = [`127.0.0.1:${own.port}`];
    const { cluster } = await brokers.open({
      nodeId: 'one',
      connection: { servers, user: 'sequencer', pass: 'secret' },
    });
    expect([cluster.state, cluster.problem]).toEqual(['joined', '']);
    for (const wrong of [{}, { user: 'sequencer', pass: 'guess' }, { token: 'secret' }]) {
      const refused = brokers.open({ nodeId: 'two', connection: { servers, ...wrong } });
      await expect(refused).rejects.toThrow(NatsRefused);
      await expect(refused).rejects.toThrow('Authorization Violation');
    }
  });
});

describe('NATS with TLS', () => {
  test('is reached with the certificate that vouches for it, and by nobody else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sequencer-tls-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '1',
    ];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const own = await ownServer({ extraArguments: ['--tls', '--tlscert', cert, '--tlskey', key] });
    const options = (env: Record<string, string>) => {
      const settings = readSettings({ NATS_URL: `tls://localhost:${own.port}`, ...env });
      return natsConnectionOptions(settings, { name: 'test', inboxPrefix: 'MOL-test.INBOX' })();
    };
    try {
      const { cluster } = await brokers.open({ nodeId: 'one', connection: options({ NATS_TLS_CA: cert }) });
      expect([cluster.state, cluster.problem]).toEqual(['joined', '']);
      // Nobody vouches for a certificate that signed itself.
      const refused = await brokers.open({ nodeId: 'two', connection: options({}) });
      expect([refused.cluster.state, refused.cluster.problem]).toEqual([
        'joining',
        expect.stringContaining('self-signed certificate'),
      ]);
      expect(() => options({ NATS_TLS_CA: join(folder, 'none.pem') })).toThrow(
        /^NATS_TLS_CA names .+, which can't be read \(ENOENT\)/,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a name', () => {
  test('that a living node has is refused to the next, and free when that one has gone', async () => {
    const first = await brokers.open({ nodeId: 'one', connection: connection(), services: [peer()] });
    await expect(brokers.open({ nodeId: 'one', connection: connection() })).rejects.toThrow(
      /another node named one lives \(process \d+ on .+, since .+\); stop it, or give this node a NODE_ID of its own/,
    );
    expect(first.endedFor).toEqual([]);
    expect(await first.broker.call('peer.hold')).toBe('held');
    await first.stop();
    const next = await brokers.open({ nodeId: 'one', connection: connection() });
    expect(next.cluster.state).toBe('joined');
  });

  test('that two took before they could see each other is left by the newer one', async () => {
    const own = await ownServer();
    const servers = [`127.0.0.1:${own.port}`];
    await own.kill();
    const older = await brokers.open({ nodeId: 'one', connection: { servers } });
    const newer = await brokers.open({ nodeId: 'one', connection: { servers } });
    await own.start();
    await until('the newer one gives way', () => newer.endedFor.length > 0);
    expect(newer.endedFor[0]).toBeInstanceOf(NodeNameTaken);
    expect(older.endedFor).toEqual([]);
  });
});
