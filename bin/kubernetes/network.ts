import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IService } from 'kubernetes-models/v1';
import { appLabel, clientsLabel, labelsOf, monitoringNamespace, namespace } from './names.ts';

/** Postgres, PgBouncer in front of it, and NATS. */
const portsOut = [5_432, 6_432, 4_222];

/** Where clients, or the ingress in front of them, send requests. */
export function clientService(): IService {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'gateway', namespace, labels: labelsOf('gateway') },
    spec: {
      selector: labelsOf('gateway'),
      ports: [{ name: 'http', port: 80, targetPort: 'http' }],
    },
  };
}

/** Names for each node, and what Prometheus finds them by: also those that are not ready. */
export function nodesService(): IService {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'nodes', namespace, labels: labelsOf('nodes') },
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: appLabel,
      ports: [{ name: 'http', port: 8_080, targetPort: 'http' }],
    },
  };
}

/** For all nodes: metrics in; names, Postgres and NATS out, and nothing else. Nodes speak to each other by way of NATS alone. */
export function nodesPolicy(): INetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'nodes', namespace, labels: labelsOf('nodes') },
    spec: {
      podSelector: { matchLabels: appLabel },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [
            { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': monitoringNamespace } } },
          ],
          ports: [{ protocol: 'TCP', port: 'http' }],
        },
      ],
      egress: [
        {
          ports: [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
        },
        { ports: portsOut.map((port) => ({ protocol: 'TCP', port })) },
      ],
    },
  };
}

/** Requests for the gateways, from namespaces that are labelled for it. */
export function clientsPolicy(): INetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'clients', namespace, labels: labelsOf('gateway') },
    spec: {
      podSelector: { matchLabels: labelsOf('gateway') },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: clientsLabel } }],
          ports: [{ protocol: 'TCP', port: 'http' }],
        },
      ],
    },
  };
}
