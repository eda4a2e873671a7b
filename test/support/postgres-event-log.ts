import pino from 'pino';
import type pg from 'pg';
import { systemClock } from '../../services/system-clock.ts';
import { MasterKeys, type MasterKeySettings, noMasterKeys } from '../../storage/payloads/master-keys.ts';
import { type PayloadEncryptionMode, PayloadVault } from '../../storage/payloads/payload-vault.ts';
import { postgresPayloadKeys } from '../../storage/postgres/payload-keys.ts';
import { createPool } from '../../storage/postgres/pool.ts';
import type { Pooler } from '../../storage/postgres/session.ts';
import {
  openPostgresEventLog,
  type PostgresEventLog,
  type PostgresEventLogOptions,
} from '../../storage/postgres/postgres-event-log.ts';

export interface OpenedLog {
  readonly log: PostgresEventLog;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** A log on this database with the product's settings, except for what a test sets. */
export async function openTestLog(
  url: string,
  settings: Partial<Omit<PostgresEventLogOptions, 'vault'>> & {
    readonly applicationName?: string;
    lockTimeoutMs?: number;
    readonly pooler?: Pooler;
    /** Payloads are stored as they come unless given. */
    readonly encryption?: { readonly mode: PayloadEncryptionMode; readonly masterKeys: MasterKeySettings };
  } = {},
): Promise<OpenedLog> {
  const log = pino({ level: 'silent' });
  const session = {
    url,
    applicationName: settings.applicationName ?? 'stateset-sequencer',
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 30_000,
    idleInTransactionTimeoutMs: 60_000,
    lockTimeoutMs: settings.lockTimeoutMs ?? 10_000,
    pooler: settings.pooler ?? 'none',
  };
  const pool = createPool({
    ...session,
    connectionsMax: 5,
    connectionsMin: 0,
    acquireTimeoutMs: 5_000,
    idleTimeoutMs: 10_000,
    lifetimeMaxMs: 60_000,
    log,
  });
  const { mode, masterKeys } = settings.encryption ?? { mode: 'disabled', masterKeys: noMasterKeys };
  const opening = openPostgresEventLog({
    pool,
    vault: new PayloadVault({ mode, keys: postgresPayloadKeys(pool, new MasterKeys(masterKeys)) }),
    session,
    appendConnections: 2,
    appendTimeoutMs: 10_000,
    flushBytesMax: 4_194_304,
    flushEventsMax: 2_000,
    clock: systemClock,
    random: Math.random,
    log,
    ...settings,
  });
  const opened = await opening.catch(async (error: unknown) => {
    await pool.end();
    throw error;
  });
  return {
    log: opened,
    pool,
    close: async () => {
      await opened.close();
      await pool.end();
    },
  };
}
