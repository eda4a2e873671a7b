import { nilUuid } from '../domain/access.ts';
import { hashApiKey } from '../services/access/api-key-hash.ts';
import { newApiKey } from '../services/access/new-api-key.ts';
import type { ApiKeys } from '../storage/api-keys.ts';
import type { DataDir } from './data-dir.ts';
import { StartProblem } from './start-problem.ts';

/** The administrator's key, and where it comes from. */
export type AdminKey =
  | { readonly kind: 'set'; readonly key: string }
  | { readonly kind: 'kept'; readonly key: string }
  /** The one that was set is no longer accepted. */
  | { readonly kind: 'revoked' }
  /** There are other ways in, and this node knows none of them. */
  | { readonly kind: 'unknown' };

export interface AdminKeyOptions {
  /** BOOTSTRAP_ADMIN_API_KEY. */
  readonly given: string | null;
  /** Whether tokens are accepted, so that people can get in without any key. */
  readonly tokens: boolean;
  readonly production: boolean;
  readonly dataDir: DataDir;
  readonly keys: ApiKeys;
}

export const adminKeyFile = 'admin-api-key';

/**
 * Finds the administrator's key and makes it active. One that is set replaces the one that was set before, on all nodes; one
 * that was revoked or replaced stays so, or a node that starts with an old setting would bring a leaked key back.
 * @throws StartProblem when nobody could authenticate
 */
export async function openAdminKey(options: AdminKeyOptions): Promise<AdminKey> {
  const { keys, tokens } = options;
  const adminKey = await findAdminKey(options);
  if (adminKey.kind !== 'set' && adminKey.kind !== 'kept') return adminKey;
  const replaceOthers = adminKey.kind === 'set';
  if (await keys.installBootstrapKey(hashApiKey(adminKey.key), { replaceOthers })) return adminKey;
  if (!tokens && !(await keys.hasActiveKey())) {
    throw new StartProblem(
      'BOOTSTRAP_ADMIN_API_KEY is a key that was revoked or replaced, and there is no other way in: set it to a new key, such as ss_ and 40 random letters and digits.',
    );
  }
  return { kind: 'revoked' };
}

/**
 * Finds the administrator's key: the one that was set, else, outside production, the one kept in the data directory,
 * made when no key of the database is active. A kept key that was revoked stays revoked.
 * @throws StartProblem in production, when nobody could authenticate
 */
async function findAdminKey({
  given,
  tokens,
  production,
  dataDir,
  keys,
}: AdminKeyOptions): Promise<AdminKey> {
  if (given !== null) return { kind: 'set', key: given };
  if (production) {
    if (tokens || (await keys.hasActiveKey())) return { kind: 'unknown' };
    throw new StartProblem(
      'The database has no active API key, and neither BOOTSTRAP_ADMIN_API_KEY nor JWT_SECRET is set, so nobody could authenticate: set the first to a key of at least 32 characters, such as ss_ and 40 random letters and digits.',
    );
  }

  const kept = await dataDir.read(adminKeyFile);
  const record = kept === null ? null : await keys.findByHash(hashApiKey(kept));
  if (kept !== null && record?.active === true) return { kind: 'kept', key: kept };
  if (await keys.hasActiveKey()) return { kind: 'unknown' };
  // A kept key that this database has never seen belongs to a start that was cut short, or to an older database.
  if (kept !== null && record === null) return { kind: 'kept', key: kept };

  // Formed like every key; its tenant is none.
  const { text: key } = newApiKey(nilUuid);
  // On disk before it is in the database: a key that is active and known to nobody would lock everyone out.
  await dataDir.write(adminKeyFile, key);
  return { kind: 'kept', key };
}
