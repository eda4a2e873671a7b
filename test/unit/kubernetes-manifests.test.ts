import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { measuredFigures } from '../../bin/capacity/measured.ts';
import { planCapacity, utilisationGoal } from '../../bin/capacity/plan-capacity.ts';
import { manifests } from '../../bin/kubernetes/manifests.ts';
import { sizeOf, tiers } from '../../bin/kubernetes/tiers.ts';
import { releaseTimesMs } from '../../bin/release-times.ts';
import { definitions } from '../../config/definitions.ts';
import { readSettings } from '../../config/read-settings.ts';
import { type HandlerDependencies, nodeRoutes } from '../../services/gateway/routes.ts';
import { readDockerfile } from '../support/dockerfile.ts';
import {
  environmentOf,
  findDocument,
  type KubernetesDocument,
  manifestFiles,
  manifestsDirectory,
  nodesOf,
  readTiers,
  validateDocument,
} from '../support/kubernetes-documents.ts';
import { readRules } from '../support/prometheus-rules.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const imageEnvironment = Object.fromEntries(
  readDockerfile(read('docker/Dockerfile'))
    .at(-1)!
    .instructions.filter(({ name }) => name === 'ENV')
    .flatMap(({ value }) => value.split(/ +/))
    .map((pair) => pair.split('=') as [string, string]),
);
/** What docs/deployment.md has people put into the secret `sequencer`; no value opens anything. */
const secret = {
  DATABASE_URL:
    'postgres://sequencer:p@db.example:5432/sequencer?sslmode=verify-full&sslrootcert=/etc/sequencer/tls/postgres-ca.crt',
  NATS_URL: 'tls://sequencer:n@nats.example:4222',
  BOOTSTRAP_ADMIN_API_KEY: 'ss_0123456789abcdef0123456789abcdef01234567',
  METRICS_TOKEN: 'metrics-0123456789abcdef0123456789abcdef',
  VES_SEQUENCER_SIGNING_KEY: '0123456789abcdef'.repeat(4),
  PAYLOAD_ENCRYPTION_KEYS: 'fedcba9876543210'.repeat(4),
};
const gib = 1_073_741_824;
/** The cells of docs/capacity.md, by tier. */
const documentedTiers = new Map(
  [...read('docs/capacity.md').matchAll(/^\| (Production|Enterprise|Dedicated) +\|(.*)\|$/gm)].map(
    ([, name, cells]) => [name!.toLowerCase(), cells!.split('|').map((cell) => cell.trim())],
  ),
);

test('the files are what "npm run docker:kubernetes" writes', () => {
  const stored = manifestFiles().map((path) => [path, readFileSync(join(manifestsDirectory, path), 'utf8')]);
  expect(Object.fromEntries(stored)).toEqual(Object.fromEntries(manifests()));
});

test('there is a tier for each row of docs/slo.md, made for its throughput', () => {
  const rows = [...read('docs/slo.md').matchAll(/^\| (\w+) +\| [\d.]+ % .*\| ([\d,]+) events\/s +\|$/gm)];
  expect(rows.map(([, name, rate]) => [name!.toLowerCase(), Number(rate!.replaceAll(',', ''))])).toEqual(
    tiers.map(({ name, eventsPerSecond }) => [name, eventsPerSecond]),
  );
  expect(
    readTiers()
      .map(({ tier }) => tier)
      .sort(),
  ).toEqual(tiers.map(({ name }) => name).sort());
});

test('a document that breaks its schema is found', () => {
  const { documents } = readTiers()[0]!;
  const broken = structuredClone(findDocument(documents, 'StatefulSet', 'sequencer'));
  broken.spec.template.spec.containers[0].ports[0].containerPort = 'http';
  expect(() => validateDocument(broken)).toThrow(/containerPort must be integer/);
  const monitor = structuredClone(findDocument(documents, 'ServiceMonitor', 'sequencer'));
  monitor.spec.endpoints[0].intervall = '15s';
  expect(() => validateDocument(monitor)).toThrow(/must NOT have additional properties/);
});

describe.each(readTiers())('the manifests of the tier $tier', ({ tier, documents }) => {
  const { cores, memoryGib, zonesRequired, ...rest } = tiers.find(({ name }) => name === tier)!;
  const size = sizeOf({ cores, memoryGib, zonesRequired, ...rest });
  const nodes = nodesOf(documents);

  test('are valid by the schemas of Kubernetes and of the Prometheus operator, every document', () => {
    expect(documents.length).toBeGreaterThan(12);
    for (const document of documents) validateDocument(document);
    const names = documents.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    for (const { kind, metadata } of documents) {
      if (kind !== 'Namespace') expect(metadata.namespace).toBe('sequencer');
    }
  });

  test.each(nodes)(
    'give a $component settings that a node takes in production',
    ({ component, container }) => {
      const known = Object.values(definitions).map(({ env }) => env);
      for (const { name } of container.env!) expect(known).toContain(name);
      for (const { name, value } of container.env!) {
        const { secret: isSecret } = Object.values(definitions).find(({ env }) => env === name)!;
        if (isSecret) expect({ name, value }).toEqual({ name, value: undefined });
      }
      const podName = `${component}-7d9f8c6b54-x2x9z`;
      const settings = readSettings({ ...imageEnvironment, ...environmentOf(container, secret, podName) });
      expect(settings).toMatchObject({
        production: true,
        nodeId: podName,
        payloadEncryptionMode: 'required',
        natsTlsCa: '/etc/sequencer/tls/nats-ca.crt',
        warnings: [],
      });
    },
  );

  test('have every service that a node can have, and no whole node', () => {
    const services = nodes.map(({ container }) =>
      environmentOf(container, secret, 'pod').NODE_SERVICES!.split(','),
    );
    const all = readSettings({}).nodeServices;
    expect(services.flat().sort()).toEqual([...all].sort());
    expect(services[1]).toEqual(['gateway']);
  });

  test.each(nodes)('probe a $component at its port by routes that every node serves', ({ container }) => {
    const port = Number(imageEnvironment.PORT);
    expect(container.ports).toEqual([{ name: 'http', containerPort: port }]);
    const routes = nodeRoutes({} as HandlerDependencies);
    const open = routes.filter(({ access }) => access === 'public').map(({ path }) => path);
    for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
      expect(probe?.httpGet?.port).toBe('http');
      expect(open).toContain(probe?.httpGet?.path);
    }
    expect(container.readinessProbe?.httpGet?.path).toBe('/ready');
    const settings = readSettings({ ...imageEnvironment, ...environmentOf(container, secret, 'pod') });
    const { periodSeconds = 0, failureThreshold = 0 } = container.startupProbe ?? {};
    // Each try to connect may take its time as well, before migrations begin.
    const connectSecs =
      (settings.dbStartupMaxRetries + 1) *
      (settings.dbStartupRetryDelaySecs + settings.dbAcquireTimeoutMs / 1_000);
    expect(periodSeconds * failureThreshold).toBeGreaterThan(connectSecs);
    const ready = container.readinessProbe!;
    expect(ready.periodSeconds! * ready.failureThreshold! + ready.timeoutSeconds!).toBeLessThanOrEqual(
      settings.shutdownDelaySecs,
    );
  });

  test.each(nodes)('wait for a $component that ends for as long as it may take', ({ pod, container }) => {
    const settings = readSettings({ ...imageEnvironment, ...environmentOf(container, secret, 'pod') });
    const { traces, storage, knownHeads, dataDir } = releaseTimesMs;
    const longestSecs =
      settings.shutdownDelaySecs +
      settings.shutdownDrainSecs +
      (traces + storage + knownHeads + dataDir) / 1_000;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(longestSecs);
  });

  test.each(nodes)(
    'give a $component no rights, and one directory to write to',
    ({ component, pod, container }) => {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1_000, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      const writable = container.volumeMounts!.filter(({ readOnly }) => readOnly !== true);
      expect(writable).toEqual([{ name: 'data', mountPath: imageEnvironment.DATA_DIR }]);
      const { spec } = findDocument(documents, 'StatefulSet', 'sequencer');
      const claimed = (spec.volumeClaimTemplates as { metadata: { name: string } }[]).map(
        ({ metadata }) => metadata.name,
      );
      const volumes = [
        ...pod.volumes!.map(({ name }) => name),
        ...(component === 'sequencer' ? claimed : []),
      ];
      for (const { name } of container.volumeMounts!) expect(volumes).toContain(name);
    },
  );

  test('keep what a sequencer remembers, with room for it', () => {
    const { spec } = findDocument(documents, 'StatefulSet', 'sequencer');
    expect(spec.persistentVolumeClaimRetentionPolicy).toEqual({
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
    const [{ spec: claim }] = spec.volumeClaimTemplates;
    const bytes = Number(/^(\d+)Gi$/.exec(claim.resources.requests.storage)![1]) * gib;
    // The file may have as many records out of date as current ones while it is made anew beside (docs/adr/0010).
    expect(bytes).toBeGreaterThan(3 * 124 * readSettings({}).knownHeadsMax);
  });

  test.each(nodes)('give a $component the memory and processors of the tier', ({ container }) => {
    expect(container.resources).toEqual({
      requests: { cpu: String(cores.request), memory: `${memoryGib}Gi` },
      limits: { cpu: String(cores.limit), memory: `${memoryGib}Gi` },
    });
    const settings = readSettings({ ...imageEnvironment, ...environmentOf(container, secret, 'pod') });
    const measured = planCapacity({ ...aDay, eventsPerDay: rest.eventsPerSecond * 86_400, signedShare: 0 });
    // Twice what a busy node took, and the bodies in parts that it may hold besides.
    expect(memoryGib * gib).toBeGreaterThan(2 * measured.memory.perNode + settings.nodePartialBytesMax);
    expect(settings.maxBytesInFlight).toBe((memoryGib * gib) / 16);
    expect(settings.maxBytesInFlight).toBeGreaterThanOrEqual(settings.maxBodySizeBytes);
  });

  test.each(nodes)(
    'have between as many and as many of a $component as docs/capacity.md says',
    ({ component }) => {
      const { spec } = findDocument(documents, 'HorizontalPodAutoscaler', component);
      const plan = (signedShare: number) =>
        planCapacity({ ...aDay, eventsPerDay: rest.eventsPerSecond * 86_400, signedShare }).nodes;
      expect(spec.minReplicas).toBe(plan(0).advised);
      expect(spec.maxReplicas).toBe(plan(1).advised);
      // One of them may be away, and the rest carries the throughput below what was measured of a node.
      const perNode = rest.eventsPerSecond / (spec.minReplicas - 1);
      expect(perNode).toBeLessThanOrEqual(measuredFigures.unsignedPerNode.value * utilisationGoal);
      const target = findDocument(documents, spec.scaleTargetRef.kind, spec.scaleTargetRef.name);
      expect(target.apiVersion).toBe(spec.scaleTargetRef.apiVersion);
      // The file does not undo what the autoscaler did.
      expect(target.spec.replicas).toBeUndefined();
      expect(spec.metrics[0].resource.target.averageValue).toBe(`${utilisationGoal * 1_000}m`);
      const nodeCount = `${size.nodesMin} to ${size.nodesMax}`;
      expect(documentedTiers.get(tier)).toEqual([
        rest.eventsPerSecond.toLocaleString('en-US'),
        ...[nodeCount, nodeCount],
        cores.request === cores.limit ? String(cores.limit) : `${cores.request} to ${cores.limit}`,
        `${memoryGib} GiB`,
        ...[String(size.postgresCores), String(size.postgresConnections)],
      ]);
    },
  );

  test.each(nodes)('replace a $component at a time, and let one at a time be drained', ({ component }) => {
    const { spec: budget } = findDocument(documents, 'PodDisruptionBudget', component);
    expect(budget.maxUnavailable).toBe(1);
    const workload = documents.find(
      ({ kind, metadata }) => ['Deployment', 'StatefulSet'].includes(kind) && metadata.name === component,
    )!;
    expect(budget.selector).toEqual(workload.spec.selector);
    expect(workload.spec.template.metadata.labels).toMatchObject(workload.spec.selector.matchLabels);
    expect(workload.spec.minReadySeconds).toBeGreaterThan(0);
    const strategy = workload.spec.strategy ?? workload.spec.updateStrategy;
    expect(strategy).toMatchObject({ type: 'RollingUpdate' });
    if (component === 'gateway') expect(strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
  });

  test.each(nodes)('spread a $component over machines and zones', ({ pod }) => {
    expect(pod.topologySpreadConstraints).toMatchObject([
      { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
      {
        topologyKey: 'topology.kubernetes.io/zone',
        ...(zonesRequired
          ? { whenUnsatisfiable: 'DoNotSchedule', minDomains: 3 }
          : { whenUnsatisfiable: 'ScheduleAnyway' }),
      },
    ]);
    expect(pod.nodeSelector === undefined).toBe(tier !== 'dedicated');
  });

  test('lead services and policies to pods that are there, at ports that they have', () => {
    const labels = nodes.map(({ component }) => podLabels(documents, component));
    const selected = (selector: Readonly<Record<string, string>>): number =>
      labels.filter((own) => Object.entries(selector).every(([key, value]) => own[key] === value)).length;
    expect(selected(findDocument(documents, 'Service', 'gateway').spec.selector)).toBe(1);
    expect(selected(findDocument(documents, 'Service', 'nodes').spec.selector)).toBe(2);
    expect(selected(findDocument(documents, 'NetworkPolicy', 'clients').spec.podSelector.matchLabels)).toBe(
      1,
    );
    expect(selected(findDocument(documents, 'NetworkPolicy', 'nodes').spec.podSelector.matchLabels)).toBe(2);
    for (const { kind, spec } of documents) {
      if (kind === 'Service') for (const { targetPort } of spec.ports) expect(targetPort).toBe('http');
    }
    const { spec } = findDocument(documents, 'StatefulSet', 'sequencer');
    expect(findDocument(documents, 'Service', spec.serviceName).spec.clusterIP).toBe('None');
  });

  test('have Prometheus ask every node, as the tier that it is, under the job that the rules look for', () => {
    const { spec } = findDocument(documents, 'ServiceMonitor', 'sequencer');
    const services = documents.filter(
      ({ kind, metadata }) =>
        kind === 'Service' &&
        Object.entries(spec.selector.matchLabels as object).every(
          ([key, value]) => metadata.labels?.[key] === value,
        ),
    );
    expect(services.map(({ metadata }) => metadata.name)).toEqual(['nodes']);
    expect(services[0]?.metadata.labels?.[spec.jobLabel]).toBe('sequencer');
    const [endpoint] = spec.endpoints;
    expect(services[0]?.spec.ports.map(({ name }: { name: string }) => name)).toContain(endpoint.port);
    const routes = nodeRoutes({} as HandlerDependencies).map(({ path }) => path);
    expect(routes).toContain(endpoint.path);
    expect(endpoint.authorization).toEqual({
      type: 'ApiKey',
      credentials: { name: 'sequencer', key: 'METRICS_TOKEN' },
    });
    expect(endpoint.relabelings).toContainEqual({ targetLabel: 'tier', replacement: tier });
    const { spec: rules } = findDocument(documents, 'PrometheusRule', 'sequencer');
    const shipped = ['alerts.yml', 'slo.yml'].flatMap(readRules);
    expect(rules.groups.flatMap(({ rules: some }: { rules: unknown[] }) => some)).toEqual(shipped);
  });
});

/** What sizes do not depend on, and the stores of a tier. */
const aDay = {
  payloadBytes: 1_072,
  agents: 100,
  streams: 10_000,
  retentionDays: 365,
  replicas: 1,
  peakFactor: 1,
  walArchiveDays: 7,
};

function podLabels(documents: readonly KubernetesDocument[], component: string): Record<string, string> {
  const workload = documents.find(
    ({ kind, metadata }) => ['Deployment', 'StatefulSet'].includes(kind) && metadata.name === component,
  )!;
  return workload.spec.template.metadata.labels as Record<string, string>;
}
