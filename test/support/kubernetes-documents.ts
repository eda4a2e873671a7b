import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Deployment, type IDeployment, type IStatefulSet, StatefulSet } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { type IContainer, type IPodSpec, Namespace, Service, ServiceAccount } from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';
import { prometheusRuleSchema, serviceMonitorSchema } from './prometheus-operator-schema.ts';

export const manifestsDirectory = join(import.meta.dirname, '../../docker/kubernetes');

/** What every object of Kubernetes has. */
export interface KubernetesDocument {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: any;
}

const models: readonly (new (data: any) => { validate(): void })[] = [
  ...[Deployment, HorizontalPodAutoscaler, Ingress, Namespace, NetworkPolicy],
  ...[PodDisruptionBudget, Service, ServiceAccount, StatefulSet],
];
const ajv = new Ajv();
const operatorSchemas = new Map([
  ['monitoring.coreos.com/v1 ServiceMonitor', ajv.compile(serviceMonitorSchema)],
  ['monitoring.coreos.com/v1 PrometheusRule', ajv.compile(prometheusRuleSchema)],
]);

/** @throws Error that says where the document breaks the schema of its kind, or that no schema of it is known */
export function validateDocument(document: KubernetesDocument): void {
  const kind = `${document.apiVersion} ${document.kind}`;
  const operatorSchema = operatorSchemas.get(kind);
  if (operatorSchema !== undefined) {
    if (!operatorSchema(document)) throw new Error(`${kind}: ${ajv.errorsText(operatorSchema.errors)}`);
    return;
  }
  const model = models.find((candidate) => {
    const { apiVersion, kind: name } = candidate as unknown as { apiVersion: string; kind: string };
    return kind === `${apiVersion} ${name}`;
  });
  if (model === undefined) throw new Error(`no schema of ${kind}`);
  new model(document).validate();
}

/** The paths of all manifests in their directory. */
export function manifestFiles(): readonly string[] {
  const entries = readdirSync(manifestsDirectory, { recursive: true, encoding: 'utf8' });
  return entries.filter((path) => path.endsWith('.yaml'));
}

/** The documents of a text, which holds one or several. */
export function readDocuments(text: string): KubernetesDocument[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0]!;
    return document.toJS() as KubernetesDocument;
  });
}

/** The tiers that have manifests, and what is in them, with what all of them share. */
export function readTiers(): readonly { readonly tier: string; readonly documents: KubernetesDocument[] }[] {
  const files = manifestFiles();
  const documentsIn = (path: string): KubernetesDocument[] =>
    readDocuments(readFileSync(join(manifestsDirectory, path), 'utf8'));
  const shared = files.filter((path) => !path.includes('/')).flatMap(documentsIn);
  const tiers = new Set(files.filter((path) => path.includes('/')).map((path) => path.split('/')[0]!));
  return [...tiers].map((tier) => ({
    tier,
    documents: [...files.filter((path) => path.startsWith(`${tier}/`)).flatMap(documentsIn), ...shared],
  }));
}

/** The one document of a kind and name. */
export function findDocument(
  documents: readonly KubernetesDocument[],
  kind: string,
  name: string,
): KubernetesDocument {
  const found = documents.filter(({ kind: other, metadata }) => other === kind && metadata.name === name);
  if (found.length !== 1) throw new Error(`${found.length} documents ${kind} ${name}`);
  return found[0]!;
}

/** The nodes of a tier: its sequencers and its gateways. */
export function nodesOf(
  documents: readonly KubernetesDocument[],
): readonly { readonly component: string; readonly pod: IPodSpec; readonly container: IContainer }[] {
  return [
    ['StatefulSet', 'sequencer'],
    ['Deployment', 'gateway'],
  ].map(([kind, component]) => {
    const { spec } = findDocument(documents, kind!, component!) as unknown as IStatefulSet | IDeployment;
    const pod = spec!.template.spec!;
    return { component: component!, pod, container: pod.containers[0]! };
  });
}

/**
 * The environment of a container, its references filled in.
 * @param secret values by key; keys that are not in it are left out where they are optional
 */
export function environmentOf(
  { env = [] }: IContainer,
  secret: Readonly<Record<string, string>>,
  podName: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    env.flatMap(({ name, value, valueFrom }): [string, string][] => {
      if (value !== undefined) return [[name, value]];
      if (valueFrom?.fieldRef?.fieldPath === 'metadata.name') return [[name, podName]];
      const { key = '', optional = false } = valueFrom?.secretKeyRef ?? {};
      const found = secret[key];
      if (found !== undefined) return [[name, found]];
      if (optional) return [];
      throw new Error(`the secret has no ${key}, which ${name} needs`);
    }),
  );
}
