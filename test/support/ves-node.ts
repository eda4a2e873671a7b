import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { openDataDir } from '../../bin/data-dir.ts';
import { openMetrics } from '../../bin/metrics.ts';
import { type NodeHandle, openNode } from '../../bin/node.ts';
import { type Identity, openIdentity } from '../../bin/receipt-key.ts';
import { openStorage, type Storage } from '../../bin/storage.ts';
import { readSettings } from '../../config/read-settings.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import type { ReplicaOutcome } from '../../storage/postgres/replica.ts';
import { type Agent, publicKeyOf, vesBody } from './ves-events.ts';

export const adminKey = 'ss_test_admin_key_0123456789abcdefghij';

export interface Answer {
  readonly status: number;
  readonly text: string;

  readonly json: any;
}

/** A whole node in this process, with what makes it a node: its own directory, identity, services and listener. */
export interface VesNode {
  readonly url: string;
  readonly storage: Storage;
  readonly identity: Identity;
  send(method: string, path: string, body?: string | object, apiKey?: string): Promise<Answer>;
  /** Appends signed events, which must all be of one agent. */
  ingest(agentId: string, events: readonly object[]): Promise<Answer>;
  registerKey(agent: Agent, fields?: object): Promise<Answer>;
  close(): Promise<void>;
}

export interface VesNodeOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Kept when the node closes; else the node has a directory of its own. */
  readonly dataDir?: string;
  /** Made of the directory's name unless given. */
  readonly nodeId?: string;
  /** Told what became of each read that was offered to the replica. */
  readonly onReplicaRead?: (outcome: ReplicaOutcome) => void;
}

export async function openVesNode(databaseUrl: string, options: VesNodeOptions = {}): Promise<VesNode> {
  const settings = readSettings({ DATABASE_URL: databaseUrl, PORT: '0', ...options.env });
  const log = pino({ level: 'silent' });
  const folder = options.dataDir ?? mkdtempSync(join(tmpdir(), 'sequencer-ves-'));
  if (options.dataDir === undefined) chmodSync(folder, 0o755);
  const dataDir = await openDataDir(folder);
  const nodeId = options.nodeId ?? `node-${folder.slice(-6).replaceAll(/[^A-Za-z0-9]/g, '')}`;
  const metrics = openMetrics();
  const observer = metrics.database;
  const storage = await openStorage(settings, {
    databaseUrl,
    log,
    observer,
    readRetries: metrics.resilience.retriesOf('read'),
    onProgress: () => undefined,
    ...(options.onReplicaRead && { onReplicaRead: options.onReplicaRead }),
  });
  const release = async (): Promise<void> => {
    await storage.close();
    await dataDir.release();
    if (options.dataDir === undefined) rmSync(folder, { recursive: true, force: true });
  };
  const open = async (): Promise<{ identity: Identity; node: NodeHandle }> => {
    const identity = await openIdentity(settings, { storage, dataDir, nodeId, log });
    await storage.keys.installBootstrapKey(hashApiKey(adminKey), { replaceOthers: true });
    const node = await openNode(settings, {
      storage,
      identity,
      nodeId,
      knownHeads: null,
      bootstrapKey: adminKey,
      metrics,
      log,
      end: (reason) => {
        throw reason;
      },
    });
    return { identity, node };
  };
  const { identity, node } = await open().catch(async (error: unknown) => {
    await release();
    throw error;
  });
  const url = `http://${node.address.host}:${node.address.port}`;
  const send: VesNode['send'] = async (method, path, body, apiKey = adminKey) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `ApiKey ${apiKey}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type') === 'application/json';
    return { status: response.status, text, json: isJson ? JSON.parse(text) : null };
  };
  return {
    url,
    storage,
    identity,
    send,
    ingest: (agentId, events) => send('POST', '/api/v1/ves/events/ingest', vesBody(agentId, events)),
    registerKey: (agent, fields = {}) =>
      send('POST', '/api/v1/agents/keys', {
        tenantId: agent.tenantId,
        agentId: agent.agentId,
        keyId: agent.keyId,
        publicKey: publicKeyOf(agent),
        ...fields,
      }),
    close: async () => {
      await node.drain();
      await release();
    },
  };
}
