/** Everything lies in one namespace; a kustomize overlay can give it another. */
export const namespace = 'sequencer';
/** Where Prometheus runs. */
export const monitoringNamespace = 'monitoring';
/** Namespaces with this label may send requests to the gateways: that of the ingress controller, and those of clients. */
export const clientsLabel = { 'sequencer-clients': 'true' };
/** Secrets that someone makes before, by hand or from a vault (docs/deployment.md). */
export const secrets = { settings: 'sequencer', tls: 'sequencer-tls' };

export type Component = 'gateway' | 'sequencer';

/** On every pod and service; `job` of its metrics, which the alert rules look for. */
export const appLabel = { 'app.kubernetes.io/name': 'sequencer' };

export function labelsOf(component: string): Readonly<Record<string, string>> {
  return { ...appLabel, 'app.kubernetes.io/component': component };
}

export const httpPort = 8_080;
