import type { AddressInfo } from 'node:net';
import { ServiceBroker } from 'moleculer';
import { ActorDirectory } from '../actors/actor-directory.ts';
import type { KnownHeads } from '../actors/known-heads.ts';
import type { ActorObserver } from '../actors/sequencer.actor.ts';
import { Takeovers } from '../actors/takeovers.ts';
import { StoredCache } from '../actors/stored-cache.ts';
import { publicSettings } from '../config/public-settings.ts';
import type { Settings } from '../config/read-settings.ts';
import { InvariantBroken } from '../domain/errors.ts';
import { treeDepth } from '../domain/merkle/tree.ts';
import { brokerOptions } from '../moleculer.config.ts';
import { AgentKeyCache } from '../services/access/agent-key-cache.ts';
import { hashApiKey } from '../services/access/api-key-hash.ts';
import { KeyCache } from '../services/access/key-cache.ts';
import { WebTokens } from '../services/access/web-tokens.ts';
import { AuditLog } from '../services/audit/audit-log.ts';
import { recordSettings } from '../services/audit/record-settings.ts';
import { BrokerLogger } from '../services/broker-logger.ts';
import { AutomaticCommitments } from '../services/commitment/automatic-commitments.ts';
import { CommitmentReader } from '../services/commitment/commitment-reader.ts';
import type { CommitmentSigner } from '../services/commitment/commitment-signer.ts';
import { commitmentClient, commitmentService } from '../services/commitment/commitment.service.ts';
import { type CommitmentObserver, Committer } from '../services/commitment/committer.ts';
import { startLagSampler } from '../services/commitment/lag-sampler.ts';
import { PoolLoad } from '../services/load/pool-load.ts';
import { clusterView } from '../services/cluster/cluster-view.ts';
import { leaseReleased, nodeService } from '../services/cluster/node.service.ts';
import { accessLog } from '../services/gateway/access-log.ts';
import { Admission } from '../services/gateway/admission.ts';
import { type AuthenticateDependencies, authenticator } from '../services/gateway/authenticate.ts';
import { gatewayService } from '../services/gateway/gateway.service.ts';
import { scraperAuthenticator } from '../services/gateway/metrics-token.ts';
import { OpenLosses } from '../services/known-heads/open-losses.ts';
import { nodeSha256, nodeSha256Stream } from '../services/node-sha256.ts';
import { observedAppends } from '../services/observed-appends.ts';
import { sequencerClient } from '../services/sequencer-client.ts';
import { TenantShare } from '../services/sequencer/tenant-share.ts';
import { TurnBudget } from '../services/sequencer/turn-budget.ts';
import { sequencerService } from '../services/sequencer.service.ts';
import { systemClock } from '../services/system-clock.ts';
import type { Cluster } from '../services/transport/cluster.ts';
import { startRoundTrips } from '../services/transport/round-trips.ts';
import { SignatureChecks } from '../services/ves/signature-checks.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { openCluster } from './open-cluster.ts';
import type { Identity } from './receipt-key.ts';
import { openLeadership } from './open-leadership.ts';
import { openProjections } from './open-projections.ts';
import { openNodeCircuits, openRetryBudget } from './resilience.ts';
import { openLimits } from './limits.ts';
import { openSchemas } from './schemas.ts';
import { TakeoverLog } from './takeover-log.ts';
import { recordCommitment, recordFlush } from './trace-spans.ts';
import { version } from './version.ts';
import type { Storage } from './storage.ts';
import { aheadBytesMin } from '../storage/postgres/append-lane.ts';

export interface NodeOptions {
  readonly storage: Storage;
  readonly identity: Pick<Identity, 'sequencerId' | 'signer'>;
  readonly nodeId: string;
  /** What this node acknowledged before; null where nothing is sequenced. */
  readonly knownHeads: KnownHeads | null;
  /** In clear, so that it is accepted whatever it begins with; null when none is configured. */
  readonly bootstrapKey: string | null;
  readonly metrics: Metrics;
  /** Where traces go; absent where none are made. */
  readonly tracing?: Tracing | undefined;
  readonly log: Log;
  /** Asked to end the node, which can't go on: another living node of the cluster has its name. */
  readonly end: (reason: Error) => void;
}

/** A running node. */
export interface NodeHandle {
  /** Where HTTP listens; on a node without a gateway for `/health` and `/ready` alone. */
  readonly address: { readonly host: string; readonly port: number };
  /** Turns `/ready` to 503 and leaves the streams to the other nodes; requests are still served. */
  announceShutdown(): void;
  /** Takes no more requests, answers what it holds, and leaves the cluster. The storage stays open. */
  drain(): Promise<void>;
}

/** Some milliseconds of reading: what the event loop may be late by before it accepts, answers and turns away. */
const bytesReadPerTurn = 262_144;

/** A tenant counts as appending for so long after a request. */
const tenantActiveForMs = 1_000;

/**
 * Wires one node together and starts it: gateway, sequencer and commitments, as `NODE_SERVICES` says.
 * @throws the system's error when the address can't be had
 * @throws StartProblem when the node can't join its cluster
 */
export async function openNode(settings: Settings, options: NodeOptions): Promise<NodeHandle> {
  const { storage, identity, nodeId, metrics, tracing, log } = options;
  const nodeCircuits = openNodeCircuits(settings, log);
  const cluster = await openCluster(settings, {
    nodeId,
    circuits: nodeCircuits,
    log,
    onNameTaken: options.end,
  });
  const circuits = () => [...storage.circuits.map(({ figures }) => figures), ...nodeCircuits.figures];
  const broker = new ServiceBroker({
    ...brokerOptions({
      nodeId,
      cluster: cluster?.brokerOptions() ?? null,
      callTimeoutMs: settings.brokerCallTimeoutMs,
    }),
    logger: new BrokerLogger(log),
  });
  const turnBudget = new TurnBudget(bytesReadPerTurn);
  let shutdownAnnounced = false;
  let address: AddressInfo | null = null;
  const keyCache = new KeyCache({
    keys: storage.keys,
    clock: systemClock,
    log,
    entriesMax: settings.keyCacheMax,
    ttlMs: settings.keyCacheTtlSecs * 1_000,
  });
  const agentKeyCache = new AgentKeyCache({
    keys: storage.agentKeys,
    clock: systemClock,
    log,
    entriesMax: settings.cacheAgentKeyMax,
    ttlMs: settings.cacheAgentKeyTtlSecs * 1_000,
  });
  const audit = new AuditLog({
    entries: storage.auditEntries,
    enabled: settings.auditLogEnabled,
    clock: systemClock,
    log,
    onRecorded: () => metrics.access.auditEvents.inc(),
  });
  const schemas = openSchemas(settings, options, metrics, turnBudget);
  const strictness = settings.vesStrictFormatValidation ? 'strict' : 'lenient';

  const poolLoad = new PoolLoad({
    pool: () => storage.log.poolFigures(),
    clock: systemClock,
    onChange: (isCritical) => {
      metrics.resilience.shedding(isCritical);
      log.warn(
        { ...storage.log.poolFigures() },
        isCritical ? 'requests are turned away: the pool is exhausted' : 'requests are let in again',
      );
    },
  });
  const { desk, runner } = openProjections(settings, {
    projections: storage.projections,
    nodeId,
    log,
    metrics: metrics.projections,
  });
  const admission = new Admission(settings.maxBytesInFlight);
  const logAccess = openAccessLog(settings, log);
  const takeovers = new Takeovers(nodeId, systemClock);
  const directory = settings.nodeServices.includes('sequencer')
    ? openDirectory(settings, options, { cluster, takeovers, onAppended: () => runner?.wake() })
    : null;
  const commitments = settings.nodeServices.includes('commitment')
    ? openCommitments(settings, options, identity.signer)
    : null;
  const limits = openLimits(settings, storage.points, metrics.limits, log);
  const leadership = openLeadership(settings, {
    storage,
    nodeId,
    metrics,
    log,
    commitments: commitments?.automatic ?? null,
    onReleased: () => {
      broker.broadcast(leaseReleased).catch((error: unknown) => {
        log.debug({ err: error }, 'the others will find the lease free when they look');
      });
    },
  });
  const startedAt = new Date().toISOString();
  broker.createService(
    nodeService({
      describe: ({ storesMax }) => ({
        nodeId,
        version,
        services: settings.nodeServices,
        startedAt,
        bytesInFlight: admission.bytesInFlight,
        bytesInFlightMax: admission.bytesMax,
        sequencer:
          directory === null
            ? null
            : { ...directory.report(storesMax), takeovers: takeovers.count, lastTakeover: takeovers.last },
        leadership: leadership.reports(),
      }),
      onLeaseReleased: () => leadership.hint(),
    }),
  );
  if (directory !== null) {
    const signatures = openSignatureChecks(settings, agentKeyCache, metrics);
    metrics.sequencing.watch(() => directory.totals());
    broker.createService(
      sequencerService({
        directory,
        log: storage.log,
        clock: systemClock,
        sha256: nodeSha256,
        requestLimits: {
          maxEventsPerBatch: settings.maxEventsPerBatch,
          maxEventPayloadSize: settings.maxEventPayloadSize,
        },
        strictness,
        signatures,
        sequencerId: identity.sequencerId,
        schemaChecks: schemas.checks,
        turnBudget,
        tenantShare: new TenantShare({
          bytesMax: settings.tenantShareBytesMax,
          activeForMs: tenantActiveForMs,
          clock: systemClock,
        }),
        bodyBytesMax: settings.maxBodySizeBytes,
        tracing,
      }),
    );
  }
  if (commitments !== null) broker.createService(commitmentService(commitments));
  broker.createService(
    gatewayService({
      settings: {
        host: settings.host,
        port: settings.port,
        requestTimeoutMs: settings.requestTimeoutSecs * 1_000,
        bodyBytesMax: settings.maxBodySizeBytes,
        corsAllowOrigins: settings.corsAllowOrigins,
        trustProxyHeaders: settings.trustProxyHeaders,
        trustedProxies: settings.trustProxyAllowlist,
        adminIpAllowlist: settings.adminIpAllowlist,
        connectionsMax: settings.maxConnections,
        requestsPerConnectionMax: settings.maxRequestsPerConnection,
        headerBytesMax: settings.maxHeaderSizeBytes,
        headersMax: settings.maxHeaders,
        urlBytesMax: settings.maxUrlBytes,
        drainTimeoutMs: settings.shutdownDrainSecs * 1_000,
        nodeRoutesOnly: !settings.nodeServices.includes('gateway'),
      },
      authenticate: authenticator({
        findPrincipal: (hash) => keyCache.find(hash),
        bootstrapKeyHash: options.bootstrapKey === null ? null : hashApiKey(options.bootstrapKey),
        checkToken: openTokens(settings, metrics),
        disabled: settings.authMode === 'disabled',
        log,
      }),
      authenticateScraper: scraperAuthenticator(settings.metricsToken),
      admission,
      isShedding: () => poolLoad.isCritical,
      limits: limits.requests,
      tracing,
      observer: {
        answered: (exchange) => {
          metrics.http.answered(exchange);
          logAccess?.(exchange);
        },
        limited: (isAllowed) => metrics.limits.counted(isAllowed),
        shed: () => metrics.resilience.shed(),
      },
      sequencer: observedAppends(
        sequencerClient({
          broker,
          clock: systemClock,
          random: Math.random,
          callTimeoutMs: settings.brokerCallTimeoutMs,
          cutOffForMs: () => cluster?.cutOffForMs ?? 0,
          retryBudget: openRetryBudget(settings),
          retryObserver: metrics.resilience.retriesOf('append'),
          tracing,
        }),
        metrics.ingest,
        systemClock,
      ),
      events: storage.log,
      apiKeys: storage.keys,
      activeApiKeysMax: settings.maxActiveApiKeysPerOwner,
      registrationLimiter: limits.registrations,
      onRegistration: (outcome, reason) => metrics.access.registered(outcome, reason),
      agentKeys: storage.agentKeys,
      schemas: storage.schemas,
      schemaRegistry: schemas.registry,
      sequencerKeys: storage.sequencerKeys,
      adminView: storage.adminView,
      projections: storage.projections,
      deadLetters: desk,
      nodeId,
      cluster: clusterView(broker),
      auditEntries: storage.auditEntries,
      audit,
      sequencerId: identity.sequencerId,
      strictness,
      clock: systemClock,
      committing: commitmentClient(broker, settings.brokerCallTimeoutMs),
      commitments: openCommitmentReader(settings, options),
      metrics: () => metrics.text(),
      readiness: async () => {
        if (shutdownAnnounced) return { ready: false, reason: 'this node is shutting down' };
        const state = cluster?.state ?? 'alone';
        if (state === 'joining') {
          return {
            ready: false,
            reason: `this node has not joined its cluster yet (NATS: ${cluster?.problem})`,
          };
        }
        try {
          const { responseTimeMs } = await storage.log.ping();
          return {
            ready: true,
            databaseResponseTimeMs: responseTimeMs,
            pool: storage.log.poolFigures(),
            cluster: state,
          };
        } catch {
          return { ready: false, reason: 'the database does not answer' };
        }
      },
      health: async () => ({
        databaseResponseTimeMs: await storage.log.ping().then(
          ({ responseTimeMs }) => responseTimeMs,
          () => null,
        ),
        pool: storage.log.poolFigures(),
        circuits: circuits(),
        leadership: leadership.reports(),
        rolledBackStores: await storage.lostHeads.openStores().catch(() => null),
        uptimeSecs: process.uptime(),
        runtime: `node ${process.version}`,
      }),
      sha256: nodeSha256,
      version,
      log,
      onListening: (listening, server) => {
        address = listening;
        metrics.http.watch(() => ({
          connections: server.connectionCount,
          bytesInFlight: admission.bytesInFlight,
          bytesInFlightMax: admission.bytesMax,
        }));
      },
    }),
  );

  metrics.caches.add('api_keys', () => keyCache.figures);
  metrics.resilience.watchCircuits(circuits);
  metrics.resilience.watchReplica(() => storage.replicaFigures());
  metrics.database.watchPool(() => storage.log.poolFigures());
  const openLosses = new OpenLosses(storage.lostHeads, systemClock);
  metrics.sequencing.watchRolledBackStores(() => openLosses.stores);
  const polls = [poolLoad.start(), keyCache.startPolling(), openLosses.startPolling()];
  if (commitments !== null) {
    const readLag = () => storage.commitments.readLag();
    polls.push(startLagSampler({ readLag, clock: systemClock, log, onLag: metrics.commitments.setLag }));
  }
  if (cluster !== null) {
    const { link } = cluster;
    metrics.cluster.watch(() => ({
      isConnected: cluster.state === 'joined',
      nodes: broker.registry.getNodeList({ onlyAvailable: true, withServices: false }).length,
    }));
    const onRoundTrip = (durationMs: number): void => metrics.cluster.roundTripTook(durationMs);
    polls.push(startRoundTrips({ link, clock: systemClock, onRoundTrip }));
  }
  // Where nothing is sequenced, nobody asks for agents' keys or for the schemas of payloads.
  if (settings.nodeServices.includes('sequencer')) {
    polls.push(agentKeyCache.startPolling(), schemas.active.startPolling());
    metrics.caches.add('agent_keys', () => agentKeyCache.figures);
  }
  try {
    if (settings.auditLogEnabled) {
      await recordSettings(
        { entries: storage.auditEntries, audit, clock: systemClock, log },
        nodeId,
        publicSettings(settings),
      );
    }
    await broker.start();
  } catch (error) {
    for (const poll of polls) poll.stop();
    await broker.stop().catch(() => undefined);
    throw error;
  }
  runner?.start();
  leadership.start();
  const listening = address as AddressInfo | null;
  if (listening === null) throw new InvariantBroken('the gateway started without an address');
  const announceShutdown = async (): Promise<void> => {
    if (shutdownAnnounced) return;
    shutdownAnnounced = true;
    // The others take over while this node still answers, so that nobody waits for the end of it.
    await Promise.all([cluster?.announceLeave(broker), leadership.stop()]);
  };
  return {
    address: { host: listening.address, port: listening.port },
    announceShutdown: () => {
      announceShutdown().catch((error: unknown) =>
        log.warn({ err: error }, 'the leave could not be announced'),
      );
    },
    drain: async () => {
      await announceShutdown();
      await Promise.all([runner?.stop(), leadership.stop()]);
      // Services stop in the order in which they depend on each other: the gateway answers what it holds through
      // the others, and the sequencer goes last.
      for (const name of ['gateway', 'commitment', 'sequencer']) {
        const service = broker.getLocalService(name);
        if (service) await broker.destroyService(service);
      }
      for (const poll of polls) poll.stop();
      await broker.stop();
    },
  };
}

function openSignatureChecks(
  settings: Settings,
  agentKeys: AgentKeyCache,
  metrics: Metrics,
): SignatureChecks {
  const checks = new SignatureChecks({
    findAgentKey: (ref) => agentKeys.find(ref),
    clock: systemClock,
    preparedKeysMax: settings.cacheAgentKeyMax,
    onChecked: (count, durationMs) => metrics.sequencing.signaturesDone(count, durationMs),
  });
  metrics.caches.add('prepared_agent_keys', () => checks.keyFigures);
  return checks;
}

/** Null where its lines would be left out, so that none are made. */
function openAccessLog(settings: Settings, log: Log): ReturnType<typeof accessLog> | null {
  if (settings.accessLog) return accessLog(log, 'info');
  return settings.logLevel === 'debug' ? accessLog(log, 'debug') : null;
}

/** Null while no token is accepted. */
function openTokens(
  { jwtSecret: secret, jwtIssuer: issuer, jwtAudience: audience, keyCacheMax: entriesMax }: Settings,
  metrics: Metrics,
): AuthenticateDependencies['checkToken'] {
  if (secret === null) return null;
  const tokens = new WebTokens({ secret, issuer, audience, entriesMax, clock: systemClock });
  metrics.caches.add('web_tokens', () => tokens.figures);
  return (token) => tokens.check(token);
}

function openCommitments(
  settings: Settings,
  { storage, metrics, tracing, log }: NodeOptions,
  signer: CommitmentSigner | null,
): { committer: Committer; automatic: AutomaticCommitments | null } {
  const observer: CommitmentObserver = {
    committed: ({ tenantId, storeId, world, batchId, sequenceStart, sequenceEnd, leafCount }, durationMs) => {
      metrics.commitments.made({ world, depth: treeDepth(leafCount), durationMs });
      if (tracing !== undefined) recordCommitment(tracing, { world, leafCount }, durationMs);
      log.info({ tenantId, storeId, world, batchId, sequenceStart, sequenceEnd }, 'committed a range');
    },
    refusedToPublish: (stream, cause) => {
      metrics.commitments.verificationFailures.inc();
      log.error(
        { ...stream, err: cause },
        'a commitment was not published, since the log contradicts itself',
      );
    },
  };
  const committer = new Committer({
    log: storage.commitments,
    sha256: nodeSha256,
    sha256Stream: nodeSha256Stream,
    signer,
    observer,
    // The rest of the pool is for reads, which must not wait for commitments.
    atOnceMax: Math.max(1, Math.floor(settings.maxDbConnections / 3)),
  });
  const { commitmentEveryEvents: everyEvents, commitmentEverySecs: everySecs } = settings;
  if (everyEvents === 0 && everySecs === 0) return { committer, automatic: null };
  metrics.commitments.setAutomatic({ everyEvents: everyEvents || null, everySecs: everySecs || null });
  const automatic = new AutomaticCommitments({
    log: storage.commitments,
    committer,
    clock: systemClock,
    logger: log,
    everyEvents: everyEvents || null,
    everySecs: everySecs || null,
  });
  return { committer, automatic };
}

function openCommitmentReader(settings: Settings, { storage, metrics }: NodeOptions): CommitmentReader {
  const reader = new CommitmentReader({
    log: storage.commitments,
    sha256: nodeSha256,
    clock: systemClock,
    caches: {
      legacy: {
        commitmentsMax: settings.cacheCommitmentMax,
        commitmentTtlMs: settings.cacheCommitmentTtlSecs * 1_000,
        proofsMax: settings.cacheProofMax,
        proofTtlMs: settings.cacheProofTtlSecs * 1_000,
      },
      ves: {
        commitmentsMax: settings.cacheVesCommitmentMax,
        commitmentTtlMs: settings.cacheVesCommitmentTtlSecs * 1_000,
        proofsMax: settings.cacheVesProofMax,
        proofTtlMs: settings.cacheVesProofTtlSecs * 1_000,
      },
    },
    observer: {
      anchored: () => metrics.commitments.anchored.inc(),
      proved: (facts) => metrics.commitments.proved(facts),
    },
  });
  metrics.caches.add('commitments', () => reader.figures('legacy').commitments);
  metrics.caches.add('proofs', () => reader.figures('legacy').proofs);
  metrics.caches.add('ves_commitments', () => reader.figures('ves').commitments);
  metrics.caches.add('ves_proofs', () => reader.figures('ves').proofs);
  return reader;
}

function openDirectory(
  settings: Settings,
  { storage, identity, nodeId, knownHeads, metrics, tracing, log }: NodeOptions,
  {
    cluster,
    takeovers,
    onAppended,
  }: { cluster: Cluster | null; takeovers: Takeovers; onAppended: () => void },
): ActorDirectory {
  const takeoverLog = new TakeoverLog(log, systemClock);
  const observer: ActorObserver = {
    claimed: (store, claim) => {
      metrics.sequencing.claims.inc();
      log.debug({ ...store, epoch: claim.epoch, heads: claim.heads }, 'claimed a store');
    },
    flushed: (facts) => {
      const { claimed, durationMs } = facts;
      metrics.sequencing.flushed(facts);
      if (tracing !== undefined) recordFlush(tracing, facts);
      onAppended();
      if (claimed !== null && takeovers.note(claimed, durationMs)) {
        metrics.sequencing.tookOver(durationMs);
        takeoverLog.note(takeovers.last!);
      }
    },
    closed: (store, cause) => {
      if (cause?.kind === 'fenced') metrics.sequencing.fenced.inc();
      if (cause?.kind === 'corrupt') log.error({ ...store, err: cause }, 'a store is closed until a restart');
      // A node that comes or goes moves thousands.
      else if (cause !== null) log.debug({ ...store, cause: cause.code }, cause.message);
    },
  };
  const stored = new StoredCache(settings.recentIdsMax);
  metrics.caches.add('recent_ids', () => stored.figures);
  return new ActorDirectory(
    {
      log: storage.log,
      clock: systemClock,
      sha256: nodeSha256,
      receiptSigner: identity.signer?.forReceipts() ?? null,
      claimant: nodeId,
      limits: {
        mailboxCommandsMax: settings.mailboxCommandsMax,
        mailboxBytesMax: settings.mailboxBytesMax,
        flushEventsMax: settings.flushEventsMax,
        flushBytesMax: settings.flushBytesMax,
        aheadBytesMin,
      },
      stored,
      observer,
      mayClaim: () => cluster?.mayClaim() ?? true,
      ...(knownHeads !== null && { knownHeads }),
    },
    { liveActorsMax: settings.liveActorsMax, idleTimeoutMs: settings.actorIdleTimeoutSecs * 1_000 },
    Math.random,
  );
}
