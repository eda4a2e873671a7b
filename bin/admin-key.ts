import { randomBytes } from 'node:crypto';

import { nilUuid } from '../domain/access.ts';
import { hashApiKey } from '../services/access/api-key-hash.ts';
import type { ApiKeys } from '../storage/api-keys.ts';
import type { DataDir } from './data-dir.ts';
import { StartProblem } from './start-problem.ts';

/** The administrator's key, and where it comes from. */
export type AdminKey =
  | { readonly kind: 'set'; readonly key: string }
  | { readonly kind: 'kept'; readonly key: string }
  /** The database has active keys, and this node knows none of them. */
  | { readonly kind: 'unknown' };

export const adminKeyFile = 'admin-api-key';

/**
 * Finds the administrator's key: the one that was set, else, outside production, the one kept in the data directory,
 * made when no key of the database is active. A kept key that was revoked stays revoked.
 * @throws StartProblem in production, when nobody could authenticate
 */
export async function findAdminKey({
  given,
  production,
  dataDir,
  keys,
}: {
  readonly given: string | null;
  readonly production: boolean;
  readonly dataDir: DataDir;
  readonly keys: ApiKeys;
}): Promise<AdminKey> {
  if (given !== null) return { kind: 'set', key: given };
  if (production) {
    if (await keys.hasActiveKey()) return { kind: 'unknown' };
    throw new StartProblem(
      'The database has no active API key and BOOTSTRAP_ADMIN_API_KEY is not set, so nobody could authenticate: set it to a key of at least 32 characters, such as ss_ and 40 random letters and digits.',
    );
  }

  const kept = await dataDir.read(adminKeyFile);
  const record = kept === null ? null : await keys.findByHash(hashApiKey(kept));
  if (kept !== null && record?.active === true) return { kind: 'kept', key: kept };
  if (await keys.hasActiveKey()) return { kind: 'unknown' };
  // A kept key that this database has never seen belongs to a start that was cut short, or to an older database.
  if (kept !== null && record === null) return { kind: 'kept', key: kept };

  const key = newAdminKey();
  // On disk before it is in the database: a key that is active and known to nobody would lock everyone out.
  await dataDir.write(adminKeyFile, key);
  return { kind: 'kept', key };
}

/** Formed like every key: the first characters of its tenant, which here is none, and 24 random bytes. */
function newAdminKey(): string {
  return `ss_${nilUuid.slice(0, 8)}${randomBytes(24).toString('base64url')}`;
}
