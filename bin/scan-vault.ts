import type pg from 'pg';
import { MasterKeys, type MasterKeySettings } from '../storage/payloads/master-keys.ts';
import type { DataKeyState } from '../storage/payloads/payload-keys.ts';
import { PayloadVault } from '../storage/payloads/payload-vault.ts';
import { postgresPayloadKeys } from '../storage/postgres/payload-keys.ts';

/**
 * A vault for a command that reads once and ends: it looks each key up once, also those that are not there, and reads what is
 * stored without encryption whatever the mode of the nodes.
 */
export function scanVault(on: Pick<pg.Pool, 'query'>, masterKeys: MasterKeySettings): PayloadVault {
  const stored = postgresPayloadKeys(on, new MasterKeys(masterKeys));
  const found = new Map<string, Promise<DataKeyState | null>>();
  return new PayloadVault({
    mode: 'disabled',
    keys: {
      find: (ref) => {
        const name = `${ref.tenantId}/${ref.keyNumber}`;
        let state = found.get(name);
        if (state === undefined) found.set(name, (state = stored.find(ref)));
        return state;
      },
    },
  });
}
