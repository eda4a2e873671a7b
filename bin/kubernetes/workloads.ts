import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { type Component, labelsOf, namespace } from './names.ts';
import { podOf } from './pod.ts';
import { sizeOf, type Tier } from './tiers.ts';

/** Time in which a new pod shows that it stays, before the next one is replaced. */
const minReadySeconds = 10;
/** The numbers of nodes are the autoscalers'; a file that had them would undo what these did when it is applied again. */
const revisionHistoryLimit = 5;

/** The nodes that own streams. Each keeps its volume, so that it remembers what it acknowledged (docs/backup-restore.md). */
export function sequencers(tier: Tier): IStatefulSet {
  const labels = labelsOf('sequencer');
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'sequencer', namespace, labels },
    spec: {
      serviceName: 'nodes',
      selector: { matchLabels: labels },
      // They need not wait for each other to start; updates still go one at a time.
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate' },
      minReadySeconds,
      revisionHistoryLimit,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
      template: podOf('sequencer', tier, []),
    },
  };
}

/** The nodes that clients reach. They keep nothing. */
export function gateways(tier: Tier): IDeployment {
  const labels = labelsOf('gateway');
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'gateway', namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      minReadySeconds,
      // Longer than the startup probe waits.
      progressDeadlineSeconds: 900,
      revisionHistoryLimit,
      template: podOf('gateway', tier, [{ name: 'data', emptyDir: {} }]),
    },
  };
}

/** Drains of machines take one node of a kind at a time. */
export function disruptionBudget(component: Component): IPodDisruptionBudget {
  const labels = labelsOf(component);
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: component, namespace, labels },
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: labels },
      // While Postgres is away no node is ready, and machines can be drained all the same.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}

/**
 * Between the nodes for the tier's throughput in unsigned and in signed events. The measure is half of a core, whatever is requested:
 * the event loop of a node is one thread, and half of what it can do is what nodes are planned for (docs/capacity.md).
 */
export function autoscaler(component: Component, tier: Tier): IHorizontalPodAutoscaler {
  const { nodesMin, nodesMax } = sizeOf(tier);
  const target =
    component === 'sequencer'
      ? { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'sequencer' }
      : { apiVersion: 'apps/v1', kind: 'Deployment', name: 'gateway' };
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: component, namespace, labels: labelsOf(component) },
    spec: {
      scaleTargetRef: target,
      minReplicas: nodesMin,
      maxReplicas: nodesMax,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '500m' } },
        },
      ],
      behavior: {
        // Each node that comes or goes moves the streams that it wins or loses.
        scaleUp: {
          stabilizationWindowSeconds: 60,
          policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
        },
        scaleDown: {
          stabilizationWindowSeconds: 1_800,
          policies: [{ type: 'Pods', value: 1, periodSeconds: 600 }],
        },
      },
    },
  };
}
