import type { INamespace, IServiceAccount } from 'kubernetes-models/v1';
import { Document } from 'yaml';
import { prometheusRule, serviceMonitor } from './monitoring.ts';
import { appLabel, namespace } from './names.ts';
import { clientService, clientsPolicy, nodesPolicy, nodesService } from './network.ts';
import { type Tier, tiers } from './tiers.ts';
import { autoscaler, disruptionBudget, gateways, sequencers } from './workloads.ts';

/** One document of a file, and what a reader should know of it. */
interface Part {
  readonly about: string;
  readonly content: object;
}

/** The files of docker/kubernetes/, by their paths in it. */
export function manifests(): ReadonlyMap<string, string> {
  return new Map([
    ['alerts.yaml', textOf(alerts())],
    ...tiers.flatMap((tier): [string, string][] => [
      [`${tier.name}/sequencer.yaml`, textOf(clusterOf(tier))],
      [`${tier.name}/monitoring.yaml`, textOf(monitoringOf(tier))],
    ]),
  ]);
}

function clusterOf(tier: Tier): Part[] {
  return [
    { about: 'Admits no pod that asks for more rights than these have.', content: namespaceOf() },
    { about: 'Of the nodes, with no rights at all: they ask Kubernetes for nothing.', content: account() },
    {
      about:
        'All nodes. Out goes what looks up names, and what goes to Postgres (5432, 6432 for PgBouncer) and NATS (4222): say where these are in\nan overlay, and add the port of an OTLP collector if there is one.',
      content: nodesPolicy(),
    },
    {
      about: 'Requests come from namespaces that have the label sequencer-clients=true.',
      content: clientsPolicy(),
    },
    { about: 'Where clients, or the ingress in front of them, send requests.', content: clientService() },
    {
      about: 'Each node by its name, whether it is ready or not: Prometheus scrapes every one.',
      content: nodesService(),
    },
    {
      about:
        'The nodes that own streams. Each has a volume for DATA_DIR, where it remembers the last events that it acknowledged\n(docs/backup-restore.md). The autoscaler below says how many there are.',
      content: sequencers(tier),
    },
    { about: 'The nodes that take requests. They keep nothing.', content: gateways(tier) },
    { about: 'One sequencer at a time may be away for a drain.', content: disruptionBudget('sequencer') },
    { about: 'One gateway at a time may be away for a drain.', content: disruptionBudget('gateway') },
    {
      about:
        'From the nodes for the throughput of the tier in unsigned events to those for all of it in signed ones (docs/capacity.md).',
      content: autoscaler('sequencer', tier),
    },
    { about: 'The same for gateways.', content: autoscaler('gateway', tier) },
  ];
}

function monitoringOf(tier: Tier): Part[] {
  return [
    {
      about: `Held to the service levels of the tier ${tier.name} (docs/slo.md).`,
      content: serviceMonitor(tier),
    },
  ];
}

/** The same for every tier: the label `tier` says how hard a rule is. */
function alerts(): Part[] {
  return [{ about: 'The rules of docker/prometheus/alerts.yml and slo.yml.', content: prometheusRule() }];
}

function namespaceOf(): INamespace {
  const labels = { ...appLabel, 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
}

function account(): IServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'sequencer', namespace, labels: appLabel },
    automountServiceAccountToken: false,
  };
}

const head =
  '# Written by "npm run docker:kubernetes" from bin/kubernetes/; docs/deployment.md says how to use and change it.\n';

function textOf(parts: readonly Part[]): string {
  const documents = parts.map(({ about, content }) => {
    // No anchors: where two places share an object, each has its own text.
    const document = new Document(content, { aliasDuplicateObjects: false });
    if (document.contents !== null) document.contents.commentBefore = about.replaceAll(/^/gm, ' ');
    return document.toString({ lineWidth: 0, singleQuote: true });
  });
  return head + documents.map((text) => `---\n${text}`).join('');
}
