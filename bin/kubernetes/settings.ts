import type { IEnvVar } from 'kubernetes-models/v1';
import { type Component, secrets } from './names.ts';
import type { Tier } from './tiers.ts';

/** Mounted from the secret `sequencer-tls`: `nats-ca.crt`, and what DATABASE_URL names as its sslrootcert. */
export const tlsDirectory = '/etc/sequencer/tls';
export const dataDirectory = '/data';

/** Longer than Kubernetes takes to tell all proxies that a pod leaves. */
export const shutdownDelaySecs = 10;
export const shutdownDrainSecs = 30;
/** Clients that keep a connection open come to new gateways after so many requests. */
const requestsPerConnectionMax = 10_000;
const bytesPerGib = 1_073_741_824;
/** Of a node's memory: several times as much is in use while an admitted body is parsed and appended. */
const shareInFlight = 1 / 16;

/** Without most of these a node does not start; without the others nobody measures it, or it signs with a key of its own. */
const secretsOfAll = [
  ...['DATABASE_URL', 'NATS_URL', 'BOOTSTRAP_ADMIN_API_KEY', 'METRICS_TOKEN'],
  'PAYLOAD_ENCRYPTION_KEYS',
];
const optionalSecrets = [
  ...['NATS_USER', 'NATS_PASSWORD', 'READ_DATABASE_URL', 'DIRECT_DATABASE_URL'],
  ...['JWT_SECRET', 'PAYLOAD_ENCRYPTION_KEYS_BY_TENANT'],
];

/** The environment of a node, beside what the image sets. */
export function settingsOf(component: Component, { memoryGib }: Tier): IEnvVar[] {
  const required = component === 'sequencer' ? [...secretsOfAll, 'VES_SEQUENCER_SIGNING_KEY'] : secretsOfAll;
  const plain = {
    NODE_SERVICES: component === 'sequencer' ? 'sequencer,commitment,projection' : 'gateway',
    SHUTDOWN_DELAY_SECS: String(shutdownDelaySecs),
    SHUTDOWN_DRAIN_SECS: String(shutdownDrainSecs),
    MAX_BYTES_IN_FLIGHT: String(memoryGib * bytesPerGib * shareInFlight),
    ...(component === 'gateway' && { MAX_REQUESTS_PER_CONNECTION: String(requestsPerConnectionMax) }),
    NATS_TLS_CA: `${tlsDirectory}/nats-ca.crt`,
  };
  return [
    { name: 'NODE_ID', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ...Object.entries(plain).map(([name, value]) => ({ name, value })),
    ...required.map((name) => fromSecret(name, false)),
    ...optionalSecrets.map((name) => fromSecret(name, true)),
  ];
}

function fromSecret(name: string, optional: boolean): IEnvVar {
  return {
    name,
    valueFrom: { secretKeyRef: { name: secrets.settings, key: name, ...(optional && { optional }) } },
  };
}
