import { randomUUID } from 'node:crypto';

import type { Settings } from '../config/read-settings.ts';
import type { AdminKey } from './admin-key.ts';

export interface Started {
  readonly address: { readonly host: string; readonly port: number };
  readonly nodeId: string;
  /** Where everything that must not get lost lies, as a sentence. */
  readonly dataSentence: string;
  /** With what receipts are signed, as a sentence. */
  readonly receiptSentence: string;
  /** Whether payloads are encrypted at rest, as a sentence. */
  readonly encryptionSentence: string;
  /** The file that keeps the administrator's key. */
  readonly adminKeyPath: string;
  readonly adminKey: AdminKey;
  readonly startedInMs: number;
}

type Modes = Pick<Settings, 'authMode' | 'natsUrl' | 'nodeServices'>;

/** What a node tells its user once it answers: where it is, where the data lies, and the first two requests to try. */
export function welcome({ authMode, natsUrl, nodeServices }: Modes, started: Started): string[] {
  const { address, adminKey, adminKeyPath, dataSentence, nodeId, startedInMs } = started;
  const after = `after ${(startedInMs / 1_000).toFixed(1)} s`;
  const open = authMode === 'disabled';
  const url = urlOf(address);
  const isGateway = nodeServices.includes('gateway');
  return [
    isGateway
      ? `The node ${nodeId} answers ${after}, on ${url}`
      : `The node ${nodeId} runs ${after}: other nodes take the clients' requests, this one tells how it is on ${url}/ready`,
    dataSentence,
    open
      ? 'Authentication is disabled: everyone who reaches the port may read and write everything.'
      : keySentence(adminKey, adminKeyPath),
    started.receiptSentence,
    started.encryptionSentence,
    ...(natsUrl === null ? ['It is alone; with NATS_URL it joins a cluster.'] : []),
    ...(isGateway ? firstRequests(url, open ? '' : credential(adminKey)) : []),
    'Ctrl-C stops it.',
  ];
}

/** The same for a log that machines read: no secret and nothing to paste. */
export function welcomeFields({ authMode, natsUrl, nodeServices }: Modes, started: Started): object {
  const { address, dataSentence, receiptSentence, encryptionSentence, adminKeyPath, adminKey, startedInMs } =
    started;
  return {
    url: urlOf(address),
    data: dataSentence,
    receipts: receiptSentence,
    payloads: encryptionSentence,
    adminKey: adminKey.kind === 'kept' ? adminKeyPath : adminKey.kind,
    authMode,
    services: nodeServices,
    alone: natsUrl === null,
    startedInMs: Math.round(startedInMs),
  };
}

/** Where this machine reaches the node: a node that listens everywhere also listens on loopback. */
function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`;
  if (host === '::') return `http://[::1]:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function keySentence(adminKey: AdminKey, path: string): string {
  switch (adminKey.kind) {
    case 'set':
      return 'The admin key is the one in BOOTSTRAP_ADMIN_API_KEY.';
    case 'kept':
      return `The admin key is ${adminKey.key} (kept in ${path})`;
    case 'revoked':
      return 'The key in BOOTSTRAP_ADMIN_API_KEY was revoked or replaced and is not accepted: use another credential.';
    case 'unknown':
      return 'There are other credentials, so no admin key was made: use a key of the database or a token, or set BOOTSTRAP_ADMIN_API_KEY.';
  }
}

/** As it stands in a shell command; the shell puts in a key that we should not print or do not know. */
function credential(adminKey: AdminKey): string {
  const key = { set: '$BOOTSTRAP_ADMIN_API_KEY', revoked: '$KEY', unknown: '$KEY', kept: '' }[adminKey.kind];
  return ` -H "Authorization: ApiKey ${adminKey.kind === 'kept' ? adminKey.key : key}"`;
}

/** Two commands to paste: append an event, read its stream. `credentialOption` begins with a space, or is empty. */
export function firstRequests(url: string, credentialOption: string): string[] {
  const tenantId = '11111111-1111-4111-8111-111111111111';
  const storeId = '22222222-2222-4222-8222-222222222222';
  const body = JSON.stringify({
    agent_id: '33333333-3333-4333-8333-333333333333',
    events: [
      {
        event_id: randomUUID(),
        tenant_id: tenantId,
        store_id: storeId,
        entity_type: 'order',
        entity_id: 'ORD-1',
        event_type: 'order.created',
        payload: { total: 99.9, currency: 'EUR' },
        created_at: new Date().toISOString(),
      },
    ],
  });
  const stream = `${url}/api/v1/events?tenant_id=${tenantId}&store_id=${storeId}`;
  return [
    'Append an event:',
    `  curl -sS ${url}/api/v1/events/ingest${credentialOption} -H 'Content-Type: application/json' -d '${body}'`,
    'Read its stream:',
    `  curl -sS '${stream}'${credentialOption}`,
  ];
}
