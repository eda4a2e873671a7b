import type pg from 'pg';
import { BadSettings, readMasterKeySettings, type Settings } from '../config/read-settings.ts';
import { toHex } from '../domain/bytes.ts';
import { PolledCache } from '../services/access/polled-cache.ts';
import { systemClock } from '../services/system-clock.ts';
import { masterFingerprint, MasterKeys, type MasterKeySettings } from '../storage/payloads/master-keys.ts';
import type { DataKeyRef, DataKeyState } from '../storage/payloads/payload-keys.ts';
import { PayloadVault } from '../storage/payloads/payload-vault.ts';
import { postgresPayloadKeys } from '../storage/postgres/payload-keys.ts';
import type { Log } from '../telemetry/log.ts';
import { StartProblem } from './start-problem.ts';

type EncryptionSettings = Pick<
  Settings,
  'payloadEncryptionMode' | 'payloadEncryptionKeys' | 'payloadEncryptionKey' | 'payloadEncryptionKeysByTenant'
>;

/** A vault, and the polling that empties its cache of keys when one was destroyed. */
export interface OpenedVault {
  readonly vault: PayloadVault;
  /** Polls until stopped. */
  close(): void;
}

/** As many look-ups as tenants may come at once: they wait for the pool, which is bounded. */
const lookupsMax = 100_000;

/** The vault of a node, with the keys of tenants from memory where no erasure can have come between. */
export function openVault(settings: Settings, { pool, log }: { pool: pg.Pool; log: Log }): OpenedVault {
  const stored = postgresPayloadKeys(pool, new MasterKeys(masterKeysOf(settings)));
  const cache = new PolledCache<DataKeyRef, DataKeyState>(
    {
      name: 'payload keys',
      textOf: ({ tenantId, keyNumber }) => `${tenantId}/${keyNumber}`,
      find: (ref) => stored.find(ref),
      revision: () => stored.revision(),
      unknownTtlMaxMs: 0,
      lookupsMax,
    },
    {
      clock: systemClock,
      log,
      entriesMax: settings.cachePayloadKeyMax,
      ttlMs: settings.cachePayloadKeyTtlSecs * 1_000,
    },
  );
  const polling = cache.startPolling();
  const vault = new PayloadVault({ mode: settings.payloadEncryptionMode, keys: cache });
  return { vault, close: () => polling.stop() };
}

/** The master keys that the settings name. */
export function masterKeysOf(settings: Omit<EncryptionSettings, 'payloadEncryptionMode'>): MasterKeySettings {
  const { payloadEncryptionKeys, payloadEncryptionKey, payloadEncryptionKeysByTenant } = settings;
  return {
    general: payloadEncryptionKeys ?? (payloadEncryptionKey === null ? [] : [payloadEncryptionKey]),
    byTenant: payloadEncryptionKeysByTenant ?? new Map(),
  };
}

/**
 * The master keys in the environment, for commands that need no other settings.
 * @throws StartProblem when they can't be read
 */
export function masterKeysOfEnvironment(): MasterKeySettings {
  try {
    return masterKeysOf(readMasterKeySettings());
  } catch (error) {
    if (error instanceof BadSettings) throw new StartProblem(error.message, { cause: error });
    throw error;
  }
}

/** How payloads are stored, for the person who started the node. Keys are named by fingerprints. */
export function encryptionSentence(settings: EncryptionSettings): string {
  const { payloadEncryptionMode: mode } = settings;
  if (mode === 'disabled') {
    return 'Payloads are stored as they come: PAYLOAD_ENCRYPTION_MODE is disabled.';
  }
  const { general, byTenant } = masterKeysOf(settings);
  const [first, ...others] = general.map((key) => toHex(masterFingerprint(key)).slice(0, 8));
  const further = others.length > 0 ? `, and opens with ${others.join(' and ')} as well` : '';
  const tenants = byTenant.size > 0 ? `; tenants with master keys of their own: ${byTenant.size}` : '';
  return `Payloads are encrypted at rest: PAYLOAD_ENCRYPTION_MODE is ${mode}, under the master key ${first}${further}${tenants}`;
}
