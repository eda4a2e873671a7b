import type pg from 'pg';
import type { Uuid } from '../../domain/types.ts';
import { MasterKeys, type MasterKeySettings } from '../../storage/payloads/master-keys.ts';
import type { DataKey } from '../../storage/payloads/sealed-payload.ts';
import { LogScan, type ScannedStore } from '../../storage/postgres/log-scan.ts';
import { currentKeyNumber, postgresPayloadKeys, rewrapKeys } from '../../storage/postgres/payload-keys.ts';
import { scanVault } from '../scan-vault.ts';
import { reencryptStream, ReencryptRecord, type ReencryptReport } from './reencrypt-stream.ts';

export type { ReencryptReport } from './reencrypt-stream.ts';

export interface ReencryptOptions {
  readonly pool: pg.Pool;
  readonly masterKeys: MasterKeySettings;
  /** Null for all. */
  readonly tenantId: Uuid | null;
  readonly storeId: Uuid | null;
  /** How many rows one statement changes at most. */
  readonly batchSize: number;
  /** How many rows are changed at most. */
  readonly limit: number;
  /** Counts what would be changed, and changes nothing. */
  readonly isDryRun: boolean;
  /** Told how many of how many events are behind us. */
  readonly onProgress: (done: number, total: number) => void;
}

const worlds = ['legacy', 'ves'] as const;

/**
 * Brings all payloads under the current key of their tenant, and all keys of tenants under the first master key. Nothing is
 * kept of how far it got: what is done names the current key in its row, so a run that was killed is simply started again.
 * @throws LogUnavailable, InvariantBroken
 */
export async function reencryptDatabase(options: ReencryptOptions): Promise<ReencryptReport> {
  const { pool, tenantId, storeId, isDryRun } = options;
  const masterKeys = new MasterKeys(options.masterKeys);
  const stores = await new LogScan(pool).stores(tenantId, storeId);
  const total = eventsOf(stores);
  const record = new ReencryptRecord(options.limit, (done) => options.onProgress(done, total));
  for (const [tenant, ofTenant] of Map.groupBy(stores, (store) => store.tenantId)) {
    if (eventsOf(ofTenant) === 0) continue;
    const target = await targetOf(tenant, masterKeys, options);
    if (target === 'erased') {
      record.passErased(eventsOf(ofTenant));
      continue;
    }
    // The new key is there by now, so an old one that comes under the same master key does not pass for the current one.
    record.addKeys(await rewrapKeys(pool, masterKeys, { tenantId: tenant, isDryRun }));
    const vault = scanVault(pool, options.masterKeys);
    for (const store of ofTenant) {
      for (const world of worlds) await reencryptStream({ ...options, store, world, target, vault }, record);
    }
  }
  return record.report();
}

/** The key to seal with; in a dry run its number, or 0, which no key has, when it would be made. */
async function targetOf(
  tenantId: Uuid,
  masterKeys: MasterKeys,
  { pool, isDryRun }: ReencryptOptions,
): Promise<DataKey | { readonly keyNumber: number } | 'erased'> {
  if (isDryRun) {
    const keyNumber = await currentKeyNumber(pool, masterKeys, tenantId);
    return keyNumber === 'erased' ? keyNumber : { keyNumber: keyNumber ?? 0 };
  }
  const state = await postgresPayloadKeys(pool, masterKeys).find({ tenantId, keyNumber: 'current' });
  return state?.kind === 'key' ? state.key : 'erased';
}

function eventsOf(stores: readonly ScannedStore[]): number {
  return stores.reduce((sum, { legacy, ves }) => sum + legacy.head + ves.head, 0);
}
