import type { IContainer, IPodTemplateSpec, ITopologySpreadConstraint, IVolume } from 'kubernetes-models/v1';
import { releaseTimesMs } from '../release-times.ts';
import { version } from '../version.ts';
import { type Component, httpPort, labelsOf, secrets } from './names.ts';
import { dataDirectory, settingsOf, shutdownDelaySecs, shutdownDrainSecs, tlsDirectory } from './settings.ts';
import type { Tier } from './tiers.ts';

/** `node` of the image, by number: Kubernetes can't tell from a name whether it is root. */
const userId = 1_000;
const zones = 3;

/** The pod of a node, with `volumes` beside the one that holds certificates. */
export function podOf(component: Component, tier: Tier, volumes: readonly IVolume[]): IPodTemplateSpec {
  return {
    metadata: { labels: labelsOf(component) },
    spec: {
      serviceAccountName: 'sequencer',
      automountServiceAccountToken: false,
      // The services of the namespace are no settings of ours.
      enableServiceLinks: false,
      terminationGracePeriodSeconds: terminationGraceSecs(),
      securityContext: {
        runAsNonRoot: true,
        runAsUser: userId,
        runAsGroup: userId,
        fsGroup: userId,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      topologySpreadConstraints: [
        spread(component, 'kubernetes.io/hostname', { required: true }),
        spread(component, 'topology.kubernetes.io/zone', { required: tier.zonesRequired, minDomains: zones }),
      ],
      ...(tier.ownMachines && {
        nodeSelector: { workload: 'sequencer' },
        tolerations: [{ key: 'workload', operator: 'Equal', value: 'sequencer', effect: 'NoSchedule' }],
      }),
      containers: [containerOf(component, tier)],
      volumes: [
        { name: 'tls', secret: { secretName: secrets.tls, defaultMode: 0o440 } },
        ...volumes.map((volume) => ({ ...volume })),
      ],
    },
  };
}

function containerOf(component: Component, tier: Tier): IContainer {
  const { cores, memoryGib } = tier;
  const memory = `${memoryGib}Gi`;
  const get = (path: string): IContainer['livenessProbe'] => ({ httpGet: { path, port: 'http' } });
  return {
    name: 'node',
    image: `stateset-sequencer:${version}`,
    env: settingsOf(component, tier),
    ports: [{ name: 'http', containerPort: httpPort }],
    resources: {
      // As much memory as its limit, so that no neighbour's need ends a node.
      requests: { cpu: String(cores.request), memory },
      limits: { cpu: String(cores.limit), memory },
    },
    // Ten minutes for Postgres to answer and for migrations.
    startupProbe: { ...get('/health'), periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 300 },
    // Says nothing of Postgres or NATS: a restart would not bring them back.
    livenessProbe: { ...get('/health'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    readinessProbe: { ...get('/ready'), periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'data', mountPath: dataDirectory },
      { name: 'tls', mountPath: tlsDirectory, readOnly: true },
    ],
  };
}

function spread(
  component: Component,
  topologyKey: string,
  { required, minDomains }: { readonly required: boolean; readonly minDomains?: number },
): ITopologySpreadConstraint {
  return {
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: required ? 'DoNotSchedule' : 'ScheduleAnyway',
    ...(required && minDomains !== undefined && { minDomains }),
    labelSelector: { matchLabels: labelsOf(component) },
  };
}

/** All that a node may take between SIGTERM and its end, in whole tens of seconds. */
export function terminationGraceSecs(): number {
  const { traces, storage, knownHeads, dataDir } = releaseTimesMs;
  const releaseSecs = (traces + storage + knownHeads + dataDir) / 1_000;
  return Math.ceil((shutdownDelaySecs + shutdownDrainSecs + releaseSecs) / 10) * 10;
}
