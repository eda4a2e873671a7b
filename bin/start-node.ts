import { join } from 'node:path';
import pg from 'pg';
import type { Settings } from '../config/read-settings.ts';
import { InvariantBroken, LogUnavailable, LogUnfit } from '../domain/errors.ts';
import { openEmbeddedPostgres } from '../storage/embedded/embedded-postgres.ts';
import type { Log } from '../telemetry/log.ts';
import { type AdminKey, adminKeyFile, openAdminKey } from './admin-key.ts';
import type { DataDir } from './data-dir.ts';
import type { Interruption } from './interruption.ts';
import { checkListen, listenProblem } from './listen-problem.ts';
import { openKnownHeads } from './known-heads.ts';
import { openMetrics } from './metrics.ts';
import { type NodeHandle, openNode } from './node.ts';
import type { Output } from './output.ts';
import { releaseTimesMs } from './release-times.ts';
import type { Releases } from './releases.ts';
import { encryptionSentence } from './payload-encryption.ts';
import { StartProblem } from './start-problem.ts';
import { openIdentity } from './receipt-key.ts';
import { openStorage, type Storage } from './storage.ts';
import { openNodeTracing } from './tracing.ts';
import { welcome, welcomeFields } from './welcome.ts';

export interface StartOptions {
  readonly dataDir: DataDir;
  readonly nodeId: string;
  readonly log: Log;
  readonly output: Output;
  readonly interruption: Interruption;
  /** Gets a way back for everything that the start takes. */
  readonly releases: Releases;
  /** Ends the node, which can't go on. */
  readonly end: (reason: Error) => void;
}

/** What claims, migrations and people with psql need beside the pools. */
const spareConnections = 20;

/**
 * Starts a node and tells its user how to use it: the database, if it is ours, then the schema, the admin key and
 * the services.
 * @throws StartProblem, LogUnfit, LogUnavailable with a sentence for the user
 */
export async function startNode(settings: Settings, options: StartOptions): Promise<NodeHandle> {
  const { dataDir, nodeId, log, output, interruption, releases } = options;
  const began = performance.now();
  if (settings.nodeServices.includes('gateway')) await checkListen(settings);

  const metrics = openMetrics();
  const tracing = await openNodeTracing(settings, { nodeId, log });
  if (tracing !== undefined)
    releases.add('send the last traces', releaseTimesMs.traces, () => tracing.close());
  const database = await openDatabase(settings, options);
  interruption.check();
  const storage = await interruption.cutShort(
    openStorage(settings, {
      databaseUrl: database.url,
      log,
      observer: metrics.database,
      readRetries: metrics.resilience.retriesOf('read'),
      onReplicaRead: (outcome) => metrics.resilience.replicaRead(outcome),
      onProgress: (step) => output.say(`  ${step}`),
    }).catch((error: unknown) => {
      throw databaseProblem(error, settings) ?? error;
    }),
  );
  releases.add('close the connections to the database', releaseTimesMs.storage, () => storage.close());
  const adminKey = await openAccess(settings, options, storage);
  const identity = await openIdentity(settings, { storage, dataDir, nodeId, log });
  const knownHeads = await openKnownHeads(settings, {
    storage,
    dataDir,
    nodeId,
    log,
    sequencerId: identity.sequencerId,
  });
  if (knownHeads !== null)
    releases.add('write the known heads', releaseTimesMs.knownHeads, () => knownHeads.close());
  interruption.check();

  const bootstrapKey = adminKey.kind === 'set' || adminKey.kind === 'kept' ? adminKey.key : null;
  const node = await openNode(settings, {
    storage,
    identity,
    nodeId,
    knownHeads,
    bootstrapKey,
    metrics,
    tracing,
    log,
    end: options.end,
  }).catch((error: unknown) => {
    throw listenProblem(error, settings) ?? error;
  });
  const started = {
    address: node.address,
    nodeId,
    dataSentence: database.sentence,
    receiptSentence: identity.sentence,
    encryptionSentence: encryptionSentence(settings),
    adminKey,
    adminKeyPath: join(dataDir.path, adminKeyFile),
    startedInMs: performance.now() - began,
  };
  output.welcome(welcome(settings, started), welcomeFields(settings, started));
  return node;
}

/** The database to use, and a sentence that says where the events lie. */
async function openDatabase(
  settings: Settings,
  { dataDir, log, output, releases }: StartOptions,
): Promise<{ readonly url: string; readonly sentence: string }> {
  if (settings.databaseUrl !== null) {
    const { host, pathname } = new URL(settings.databaseUrl);
    return {
      url: settings.databaseUrl,
      sentence: `The events lie in the Postgres of DATABASE_URL (${host}${pathname}), the node's own files in ${dataDir.path}`,
    };
  }
  let started = false;
  const postgres = await openEmbeddedPostgres({
    dataDir: dataDir.path,
    connectionsMax: Math.max(100, settings.maxDbConnections + settings.appendConnections + spareConnections),
    onProgress: (sentence) => (started ? log.warn(sentence) : output.say(`  ${sentence}`)),
  });
  started = true;
  releases.add('stop Postgres', releaseTimesMs.postgres, () => postgres.stop());
  return {
    url: postgres.url,
    sentence: `The events lie in the embedded Postgres in ${postgres.dataDirectory}, keys and passwords in ${dataDir.path}`,
  };
}

/** What the user can do about a database that does not answer, or does not let us in; null for other errors. */
function databaseProblem(cause: unknown, settings: Settings): StartProblem | null {
  if (!(cause instanceof Error) || cause instanceof LogUnfit) return null; // That one has its own way out.
  if (cause instanceof LogUnavailable) {
    const { dbStartupMaxRetries: retries, dbStartupRetryDelaySecs: delaySecs } = settings;
    return new StartProblem(
      `The database does not answer (${cause.message}; tries: ${retries + 1}, ${delaySecs} s apart): check DATABASE_URL and that its server runs, or wait longer with DB_STARTUP_MAX_RETRIES and DB_STARTUP_RETRY_DELAY_SECS.`,
      { cause },
    );
  }
  // Postgres says no: a wrong password, no such database, no right to make the schema.
  const refused = cause instanceof InvariantBroken || cause instanceof pg.DatabaseError;
  return refused
    ? new StartProblem(
        `The database refuses us (${cause.message}): check DATABASE_URL and the rights of its user.`,
        {
          cause,
        },
      )
    : null;
}

async function openAccess(
  settings: Settings,
  { dataDir, log }: StartOptions,
  { keys }: Storage,
): Promise<AdminKey> {
  const { bootstrapAdminApiKey: given, jwtSecret, production } = settings;
  const adminKey = await openAdminKey({ given, tokens: jwtSecret !== null, production, dataDir, keys });
  if (adminKey.kind === 'revoked') {
    log.warn(
      'BOOTSTRAP_ADMIN_API_KEY was revoked, or replaced by another, and is not accepted: set the current key, or none',
    );
  }
  return adminKey;
}
