import type pg from 'pg';
import { sameBytes, toHex } from '../../domain/bytes.ts';
import { InvariantBroken } from '../../domain/errors.ts';
import type { TenantId } from '../../domain/types.ts';
import type { DataKeyState, PayloadKeys } from '../payloads/payload-keys.ts';
import { read } from './query.ts';
import {
  findPayloadKeys,
  insertPayloadKey,
  listPayloadKeys,
  payloadKeyRevision,
  rewrapPayloadKey,
} from './queries/payload-keys.query.ts';
import { theRevision } from './revision.ts';
import { drawDataKey, type MasterKeys, type WrappedKey } from '../payloads/master-keys.ts';
import { DataKey } from '../payloads/sealed-payload.ts';

/** A smallint names a key in the rows of events. */
const keyNumberMax = 32_767;
/** Each lost round means that another node made a key, which is then taken unless it is under another master key. */
const roundsMax = 16;

/** The data keys in Postgres, opened with the master keys of this process. Nothing is cached here. */
export function postgresPayloadKeys(pool: Pick<pg.Pool, 'query'>, masterKeys: MasterKeys): PayloadKeys {
  return {
    find: ({ tenantId, keyNumber }) =>
      keyNumber === 'current'
        ? currentKey(pool, masterKeys, tenantId)
        : findKey(pool, masterKeys, tenantId, keyNumber),
    revision: () => theRevision(pool, payloadKeyRevision),
  };
}

/**
 * The key that the payloads of a tenant should be sealed with.
 * @returns null when there is none yet
 */
export async function currentKeyNumber(
  pool: Pick<pg.Pool, 'query'>,
  masterKeys: MasterKeys,
  tenantId: TenantId,
): Promise<number | 'erased' | null> {
  const found = await read(pool, findPayloadKeys, { tenantId, keyNumber: null });
  if (found[0]?.isErased === true) return 'erased';
  return found.find(({ key }) => key !== null && isUnderFirst(key, masterKeys))?.key?.keyNumber ?? null;
}

/**
 * Wraps the data keys of a tenant, or of all, under the first master key.
 * @returns how many were rewrapped, had been before, and could not be, since their master key is not here
 */
export async function rewrapKeys(
  pool: Pick<pg.Pool, 'query'>,
  masterKeys: MasterKeys,
  { tenantId, isDryRun }: { readonly tenantId: TenantId | null; readonly isDryRun: boolean },
): Promise<{ readonly rewrapped: number; readonly current: number; readonly locked: number }> {
  const counts = { rewrapped: 0, current: 0, locked: 0 };
  for (const stored of await read(pool, listPayloadKeys, { tenantId })) {
    if (isUnderFirst(stored, masterKeys)) {
      counts.current++;
      continue;
    }
    const key = masterKeys.unwrap(stored);
    const wrapped = typeof key === 'string' ? null : masterKeys.wrap(stored.tenantId, stored.keyNumber, key);
    if (wrapped === null) {
      counts.locked++;
      continue;
    }
    // One that was rewrapped or destroyed meanwhile stays as it is.
    if (!isDryRun) await read(pool, rewrapPayloadKey, { ...wrapped, before: stored.wrapped });
    counts.rewrapped++;
  }
  return counts;
}

async function findKey(
  pool: Pick<pg.Pool, 'query'>,
  masterKeys: MasterKeys,
  tenantId: TenantId,
  keyNumber: number,
): Promise<DataKeyState | null> {
  const [found] = await read(pool, findPayloadKeys, { tenantId, keyNumber });
  if (found?.isErased === true) return { kind: 'erased' };
  return found?.key ? stateOf(found.key, masterKeys) : null;
}

/** The newest key under the first master key; older ones only open what they sealed. */
async function currentKey(
  pool: Pick<pg.Pool, 'query'>,
  masterKeys: MasterKeys,
  tenantId: TenantId,
): Promise<DataKeyState> {
  for (let round = 0; round < roundsMax; round++) {
    const found = await read(pool, findPayloadKeys, { tenantId, keyNumber: null });
    if (found[0]?.isErased === true) return { kind: 'erased' };
    const stored = found.flatMap(({ key }) => (key === null ? [] : [key]));
    for (const key of stored.filter((candidate) => isUnderFirst(candidate, masterKeys))) {
      const state = stateOf(key, masterKeys);
      if (state.kind === 'key') return state;
    }
    const keyNumber = (stored[0]?.keyNumber ?? 0) + 1;
    const dataKey = drawDataKey();
    const wrapped = keyNumber > keyNumberMax ? null : masterKeys.wrap(tenantId, keyNumber, dataKey);
    if (wrapped === null) {
      throw new InvariantBroken(`no payload key can be made for the tenant ${tenantId}`, {
        tenantId,
        keyNumber,
      });
    }
    const inserted = await read(pool, insertPayloadKey, wrapped);
    if (inserted.length > 0) return { kind: 'key', key: new DataKey(keyNumber, dataKey) };
  }
  throw new InvariantBroken(`${roundsMax} rounds did not settle the payload key of the tenant ${tenantId}`);
}

function stateOf(stored: WrappedKey, masterKeys: MasterKeys): DataKeyState {
  const key = masterKeys.unwrap(stored);
  if (key === 'damaged') return { kind: 'damaged' };
  if (key === 'no master key') return { kind: 'locked', masterFingerprint: toHex(stored.masterFingerprint) };
  return { kind: 'key', key: new DataKey(stored.keyNumber, key) };
}

function isUnderFirst({ tenantId, masterFingerprint }: WrappedKey, masterKeys: MasterKeys): boolean {
  const first = masterKeys.firstFingerprint(tenantId);
  return first !== null && sameBytes(first, masterFingerprint);
}
