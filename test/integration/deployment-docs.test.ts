import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { connectionsPerNode } from '../../bin/capacity/plan-capacity.ts';
import { sizeOf, tiers } from '../../bin/kubernetes/tiers.ts';
import { releaseTimesMs } from '../../bin/release-times.ts';
import { definitions } from '../../config/definitions.ts';
import { readSettings } from '../../config/read-settings.ts';
import {
  findDocument,
  type KubernetesDocument,
  nodesOf,
  readDocuments,
  readTiers,
  validateDocument,
} from '../support/kubernetes-documents.ts';
import { runCli } from '../support/run-cli.ts';

const root = join(import.meta.dirname, '../..');
const docs = readFileSync(join(root, 'docs/deployment.md'), 'utf8');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const { scripts, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
  version: string;
};
const blocksOf = (language: string): readonly string[] =>
  [...docs.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text!);
const documents = readTiers().find(({ tier }) => tier === 'production')!.documents;
const nodes = nodesOf(documents);
const settings = Object.values(definitions).map(({ env }) => env);

/** Of compose and of Kubernetes' own, which are no settings of a node. */
const otherNames = new Set([
  'POSTGRES_PASSWORD',
  'GRAFANA_PASSWORD',
  'TENANT',
  'MACHINE',
  'CHANGELOG',
  'NAME',
]);

test('every setting that the page names is one', () => {
  const names = [...docs.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)].map(([name]) => name);
  expect(names.length).toBeGreaterThan(30);
  expect([...new Set(names)].filter((name) => !settings.includes(name) && !otherNames.has(name))).toEqual([]);
});

test('every script, file and section that the page names is there', () => {
  for (const [, script] of docs.matchAll(/npm run ([a-z:]+)/g)) expect(scripts).toHaveProperty(script!);
  for (const [path] of docs.matchAll(/\bdocker\/[\w./-]*\w/g)) {
    expect({ path, isThere: existsSync(join(root, path)) }).toEqual({ path, isThere: true });
  }
  for (const [, path = '', section] of docs.matchAll(/\]\(([\w./-]*)(?:#([\w-]+))?\)/g)) {
    const text = path === '' ? docs : readFileSync(join(root, 'docs', path), 'utf8');
    if (section !== undefined) expect(headingsOf(text)).toContain(section);
  }
});

test('every command of ours has the options that the page gives it', async () => {
  const commands = [...docs.matchAll(/npx --no sequencer ([a-z-]+(?: (?:create|list|revoke)\b)?)([^\n`]*)/g)];
  expect(commands.length).toBeGreaterThan(3);
  for (const [, name = '', rest = ''] of commands) {
    const { code, stdout } = await runCli([...name.split(' '), '--help'], {});
    expect(code).toBe(0);
    for (const [option] of rest.matchAll(/--[a-z-]+/g)) expect(stdout).toContain(option);
  }
});

test('the secrets that it makes are those that the manifests ask for', () => {
  const [script] = blocksOf('sh').filter((block) => block.includes('create secret'));
  const made = [...script!.matchAll(/--from-literal=(\w+)=/g)].map(([, name]) => name);
  const references = nodes.flatMap(({ container }) =>
    container.env!.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []),
  );
  const required = references.filter(({ optional }) => optional !== true).map(({ key }) => key);
  expect([...new Set(made)].sort()).toEqual([...new Set(required)].sort());
  const rows = [...docs.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name);
  expect(rows).toEqual(expect.arrayContaining(required));
  for (const [, name] of script!.matchAll(/create secret generic (\S+)/g)) {
    const names = [...references.map((reference) => reference.name), ...secretVolumes()];
    expect(names).toContain(name);
  }
  const label = /kubectl label namespace \S+ (\S+)=(\S+)/.exec(script!)!;
  const [rule] = findDocument(documents, 'NetworkPolicy', 'clients').spec.ingress;
  expect(rule.from[0].namespaceSelector.matchLabels).toEqual({ [label[1]!]: label[2] });
});

test('its overlays change what is there, and its ingress leads to the gateways', () => {
  const yaml = blocksOf('yaml').map((text) => parse(text) as Overlay & KubernetesDocument);
  const [overlay] = yaml.filter(({ kind }) => kind === 'Kustomization');
  for (const path of overlay!.resources) expect(existsSync(join(root, 'docker/kubernetes', path))).toBe(true);
  for (const { container } of nodes) {
    expect(overlay!.images.map(({ name, newTag }) => `${name}:${newTag}`)).toContain(container.image);
  }
  expect(overlay!.images[0]!.newTag).toBe(version);
  for (const { target, patch } of yaml.flatMap(({ patches = [] }) => patches)) {
    const targets = documents.filter(
      ({ kind, metadata }) =>
        new RegExp(`^(${target.kind})$`).test(kind) && (target.name ?? metadata.name) === metadata.name,
    );
    expect(targets.length).toBeGreaterThan(0);
    for (const { path } of parse(patch) as { path: string }[]) {
      for (const document of targets) {
        const parent = path.split('/').slice(1, -1);
        const found = parent.reduce<any>((value, key) => value?.[key], document);
        expect({ path, isThere: typeof found }).toEqual({ path, isThere: 'object' });
      }
    }
  }
  const [text] = blocksOf('yaml').filter((block) => block.includes('kind: Ingress'));
  const [ingress] = readDocuments(text!);
  validateDocument(ingress!);
  const { service } = ingress!.spec.rules[0].http.paths[0].backend;
  const ports = findDocument(documents, 'Service', service.name).spec.ports as { name: string }[];
  expect(ports.map(({ name }) => name)).toContain(service.port.name);
});

test('its workloads are those of the manifests', () => {
  for (const [, kind, name] of docs.matchAll(/\b(statefulset|deployment|service)\/(\w+)/g)) {
    const names = documents
      .filter((document) => document.kind.toLowerCase() === kind)
      .map(({ metadata }) => metadata.name);
    expect(names).toContain(name);
  }
});

test('its figures are those of the tiers', () => {
  for (const tier of tiers) {
    const { nodesMin, nodesMax } = sizeOf(tier);
    const { request, limit } = tier.cores;
    const cores = request === limit ? String(limit) : `${request} to ${limit}`;
    const row = new RegExp(
      `^\\| ${tier.name} +\\| ${nodesMin} to ${nodesMax} +\\| ${cores} +\\| ${tier.memoryGib} GiB +\\|`,
      'm',
    );
    expect(docs).toMatch(row);
  }
  const dedicated = sizeOf(tiers.find(({ name }) => name === 'dedicated')!);
  expect(docs).toContain(`${connectionsPerNode} unless set: with all nodes of the tier dedicated`);
  expect(docs).toContain(`dedicated ${2 * dedicated.nodesMax * connectionsPerNode}.`);
});

test('its unit for systemd gives a node the time that it may take', () => {
  const [unit] = blocksOf('ini');
  const defaults = readSettings({});
  const { traces, storage, knownHeads, dataDir } = releaseTimesMs;
  const longestSecs =
    defaults.shutdownDelaySecs +
    defaults.shutdownDrainSecs +
    (traces + storage + knownHeads + dataDir) / 1_000;
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit!)![1])).toBeGreaterThanOrEqual(longestSecs);
});

test('the README leads to it', () => expect(readme).toContain('(docs/deployment.md)'));

interface Overlay {
  readonly kind?: string;
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
  readonly patches?: readonly {
    readonly target: { readonly kind: string; readonly name?: string };
    readonly patch: string;
  }[];
}

function secretVolumes(): readonly string[] {
  return nodes.flatMap(({ pod }) => pod.volumes!.flatMap(({ secret }) => secret?.secretName ?? []));
}

/** The headings of a page as links to them are written. */
function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
