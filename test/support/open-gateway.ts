import { ServiceBroker } from 'moleculer';
import { bootstrapAdmin, type Principal } from '../../domain/access.ts';
import type { AppendParams, AppendReply } from '../../services/contracts.ts';
import { hashApiKey } from '../../services/access/api-key-hash.ts';
import { AuditLog } from '../../services/audit/audit-log.ts';
import { Admission } from '../../services/gateway/admission.ts';
import { type AuthenticateDependencies, authenticator } from '../../services/gateway/authenticate.ts';
import {
  type GatewayDependencies,
  gatewayService,
  type GatewaySettings,
} from '../../services/gateway/gateway.service.ts';
import type { NodeHealth } from '../../services/gateway/handlers/report-detailed-health.ts';
import type { Readiness } from '../../services/gateway/handlers/report-health.ts';
import { scraperAuthenticator } from '../../services/gateway/metrics-token.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { CompiledSchemas } from '../../services/schemas/compiled-schemas.ts';
import { SchemaRegistry } from '../../services/schemas/schema-registry.ts';
import { systemClock } from '../../services/system-clock.ts';
import type { ApiKeys } from '../../storage/api-keys.ts';
import { MemoryAgentKeys } from '../../storage/memory/memory-agent-keys.ts';
import { MemoryApiKeys } from '../../storage/memory/memory-api-keys.ts';
import { MemoryAuditEntries } from '../../storage/memory/memory-audit-entries.ts';
import { MemoryEventLog } from '../../storage/memory/memory-event-log.ts';
import { MemorySchemas } from '../../storage/memory/memory-schemas.ts';
import { uuid } from './events.ts';

/** The key of the administrator in every gateway that these tests open. */
export const adminKey = 'ss_admin';
export const bootstrapKey = 'dev_admin_key';
/** METRICS_TOKEN of every one of them. */
export const metricsToken = 'only_for_metrics';

export interface OpenGatewayOptions {
  readonly settings?: Partial<GatewaySettings>;
  readonly bytesInFlightMax?: number;
  readonly keys?: ApiKeys;
  readonly authDisabled?: boolean;
  /** None holds unless this is given. */
  readonly limits?: GatewayDependencies['limits'];
  readonly checkToken?: AuthenticateDependencies['checkToken'];
  /** Nobody can register unless this is given. */
  readonly registrationLimiter?: GatewayDependencies['registrationLimiter'];
  readonly activeApiKeysMax?: number;
  readonly events?: GatewayDependencies['events'];
  /** None can be made or read unless this is given. */
  readonly commitments?: Pick<GatewayDependencies, 'committing' | 'commitments'>;
}

/** A gateway on a free port, alone in its broker, with everything behind it in the test's hands. */
export interface OpenedGateway {
  readonly port: number;
  readonly url: string;
  readonly keys: ApiKeys;
  readonly log: MemoryEventLog;
  readonly auditEntries: MemoryAuditEntries;
  /** What became of tries to register, as `outcome reason`. */
  readonly registrations: string[];
  /** What was asked of the sequencer, in order. */
  readonly appends: AppendParams[];
  /** How the sequencer answers; accepts nothing and rejects nothing unless replaced. */
  answerAppend: (params: AppendParams) => Promise<AppendReply>;
  answerReadiness: () => Promise<Readiness>;
  answerHealth: () => Promise<NodeHealth>;
  /** What the gateway wrote to its log, as `level message`. */
  readonly logLines: string[];
  addKey(text: string, principal?: Partial<Principal>): Promise<void>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

export const noEvents: AppendReply = {
  accepted: 0,
  rejected: 0,
  sequenceStart: null,
  sequenceEnd: null,
  head: 0 as AppendReply['head'],
  rejections: [],
  receipts: [],
};

export async function openGateway(options: OpenGatewayOptions = {}): Promise<OpenedGateway> {
  const keys = options.keys ?? new MemoryApiKeys();
  const log = new MemoryEventLog();
  const auditEntries = new MemoryAuditEntries(() => systemClock.nowMicros());
  const logLines: string[] = [];
  const write =
    (level: string) =>
    (...[, message]: unknown[]) =>
      void logLines.push(`${level} ${String(message)}`);
  const logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  } as GatewayDependencies['log'];
  const broker = new ServiceBroker({ logger: false });
  let port = 0;

  const opened: OpenedGateway = {
    get port() {
      return port;
    },
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    keys,
    log,
    auditEntries,
    registrations: [],
    appends: [],
    logLines,
    answerAppend: () => Promise.resolve(noEvents),
    answerReadiness: () =>
      Promise.resolve({ ready: true, databaseResponseTimeMs: 1.4, pool: null, cluster: 'alone' }),
    answerHealth: () =>
      Promise.resolve({
        databaseResponseTimeMs: 1.4,
        pool: { active: 1, idle: 2, max: 10 },
        circuits: [],
        leadership: [],
        rolledBackStores: 0,
        uptimeSecs: 61.7,
        runtime: 'node v24.1.0',
      }),
    addKey: async (text, principal = {}) => {
      await keys.insertKey(hashApiKey(text), { ...bootstrapAdmin, ...principal });
    },
    fetch: (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init),
    stop: () => broker.stop(),
  };

  broker.createService(
    gatewayService({
      settings: {
        host: '127.0.0.1',
        port: 0,
        requestTimeoutMs: 5_000,
        bodyBytesMax: 1_048_576,
        corsAllowOrigins: [],
        trustProxyHeaders: false,
        trustedProxies: ['127.0.0.0/8'],
        adminIpAllowlist: [],
        connectionsMax: 1_000,
        requestsPerConnectionMax: 0,
        headerBytesMax: 16_384,
        headersMax: 100,
        urlBytesMax: 8_192,
        drainTimeoutMs: 2_000,
        nodeRoutesOnly: false,
        ...options.settings,
      },
      authenticate: authenticator({
        findPrincipal: async (hash) => {
          const record = await keys.findByHash(hash);
          return record?.active === true ? record.principal : null;
        },
        bootstrapKeyHash: hashApiKey(bootstrapKey),
        checkToken: options.checkToken ?? null,
        disabled: options.authDisabled ?? false,
        log: logger,
      }),
      authenticateScraper: scraperAuthenticator(metricsToken),
      observer: { answered: () => undefined, limited: () => undefined, shed: () => undefined },
      isShedding: () => false,
      admission: new Admission(options.bytesInFlightMax ?? 16_777_216),
      limits: options.limits ?? (() => null),
      sequencer: {
        append: (params) => {
          opened.appends.push(params);
          return opened.answerAppend(params);
        },
      },
      events: options.events ?? log,
      apiKeys: keys,
      activeApiKeysMax: options.activeApiKeysMax ?? 100,
      registrationLimiter: options.registrationLimiter ?? null,
      onRegistration: (outcome, reason) => void opened.registrations.push(`${outcome} ${reason}`),
      agentKeys: new MemoryAgentKeys(() => systemClock.nowMicros()),
      ...openMemorySchemas(),
      sequencerKeys: { list: () => Promise.resolve([]) },
      adminView: noAdminView,
      projections: { readEntity: notHere, listStreams: notHere, listStalledStreams: notHere },
      deadLetters: { list: notHere, retry: notHere, discard: notHere },
      nodeId: 'node-1',
      cluster: { read: () => Promise.resolve([]) },
      auditEntries,
      audit: new AuditLog({ entries: auditEntries, enabled: true, clock: systemClock, log: logger }),
      sequencerId: uuid(0x5e),
      strictness: 'lenient',
      clock: systemClock,
      ...(options.commitments ?? noCommitments),
      readiness: () => opened.answerReadiness(),
      health: () => opened.answerHealth(),
      metrics: () => Promise.resolve('# none\n'),
      sha256: nodeSha256,
      version: '1.2.3',
      log: logger,
      onListening: (address) => (port = address.port),
    }),
  );
  await keys.installBootstrapKey(hashApiKey(adminKey), { replaceOthers: false });
  await keys.installBootstrapKey(hashApiKey(bootstrapKey), { replaceOthers: false });
  try {
    await broker.start();
  } catch (error) {
    await broker.stop();
    throw error;
  }
  return opened;
}

function openMemorySchemas(): Pick<GatewayDependencies, 'schemas' | 'schemaRegistry'> {
  const schemas = new MemorySchemas(() => systemClock.nowMicros());
  const limits = { clock: systemClock, entriesMax: 10, ttlMs: 1_000 };
  const compiled = new CompiledSchemas('the first error', limits);
  const thorough = new CompiledSchemas('all errors', limits);
  return {
    schemas,
    schemaRegistry: new SchemaRegistry({
      schemas,
      compiled,
      thorough,
      eventTypesMax: 10,
      compatibilityEnforced: false,
      onChange: () => undefined,
    }),
  };
}

const notHere = (): Promise<never> => Promise.reject(new Error('not part of this gateway'));
const noCommitments: Pick<GatewayDependencies, 'committing' | 'commitments'> = {
  committing: { create: notHere },
  commitments: {
    find: notHere,
    findFrozen: notHere,
    findCovering: notHere,
    listFrom: notHere,
    listUnanchored: notHere,
    listPending: notHere,
    recordAnchor: notHere,
    prove: notHere,
  },
};

/** Its numbers come from SQL alone, so there is nothing to imitate. */
const noAdminView: GatewayDependencies['adminView'] = {
  overview: notHere,
  tenants: notHere,
  stores: notHere,
  agents: notHere,
};

export const tenantA = uuid(0xa);
export const tenantB = uuid(0xb);
export const store1 = uuid(1);
export const store2 = uuid(2);

/** A readable ingest request for a store of tenant A. */
export function ingestBody(fields: { tenantId?: string; storeId?: string; padding?: number } = {}): string {
  const event = {
    event_id: uuid(0xe1),
    tenant_id: fields.tenantId ?? tenantA,
    store_id: fields.storeId ?? store1,
    entity_type: 'order',
    entity_id: 'ORD-1',
    event_type: 'order.created',
    payload: { text: 'x'.repeat(fields.padding ?? 0) },
    created_at: '2025-12-20T18:31:22Z',
    source_agent: uuid(0xc1),
  };
  return JSON.stringify({ agent_id: uuid(0xc1), events: [event] });
}

export function ingestInit(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): RequestInit {
  return {
    method: 'POST',
    body,
    headers: { authorization: `ApiKey ${adminKey}`, 'content-type': 'application/json', ...headers },
  };
}
