import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { appLabel, labelsOf, namespace, secrets } from './names.ts';
import type { Tier } from './tiers.ts';

/** Of the Prometheus operator, as far as we use it: https://prometheus-operator.dev/docs/api-reference/api/ */
export interface ServiceMonitor {
  readonly apiVersion: 'monitoring.coreos.com/v1';
  readonly kind: 'ServiceMonitor';
  readonly metadata: Metadata;
  readonly spec: {
    readonly jobLabel: string;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly endpoints: readonly {
      readonly port: string;
      readonly path: string;
      readonly interval: string;
      readonly scrapeTimeout: string;
      readonly authorization: {
        readonly type: string;
        readonly credentials: { readonly name: string; readonly key: string };
      };
      readonly relabelings: readonly {
        readonly sourceLabels?: readonly string[];
        readonly targetLabel: string;
        readonly replacement?: string;
      }[];
    }[];
  };
}

export interface PrometheusRule {
  readonly apiVersion: 'monitoring.coreos.com/v1';
  readonly kind: 'PrometheusRule';
  readonly metadata: Metadata;
  readonly spec: { readonly groups: readonly object[] };
}

interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

const prometheusDirectory = join(import.meta.dirname, '../../docker/prometheus');

/** Scrapes each node itself, as docker/prometheus/prometheus.yml does. */
export function serviceMonitor({ name: tier }: Tier): ServiceMonitor {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: { name: 'sequencer', namespace, labels: appLabel },
    spec: {
      // The label `job` gets the value of this one: sequencer, which the rules look for.
      jobLabel: 'app.kubernetes.io/name',
      selector: { matchLabels: labelsOf('nodes') },
      endpoints: [
        {
          port: 'http',
          path: '/metrics',
          interval: '15s',
          scrapeTimeout: '10s',
          authorization: {
            type: 'ApiKey',
            credentials: { name: secrets.settings, key: 'METRICS_TOKEN' },
          },
          relabelings: [
            { sourceLabels: ['__meta_kubernetes_pod_name'], targetLabel: 'instance' },
            { targetLabel: 'tier', replacement: tier },
          ],
        },
      ],
    },
  };
}

/** The alerts and burn rates of docker/prometheus/. */
export function prometheusRule(): PrometheusRule {
  const groups = ['alerts.yml', 'slo.yml'].flatMap((file) => {
    const text = readFileSync(join(prometheusDirectory, file), 'utf8');
    return (parse(text) as { groups: object[] }).groups;
  });
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'sequencer', namespace, labels: appLabel },
    spec: { groups },
  };
}
