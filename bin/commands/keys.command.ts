import { Command, InvalidArgumentError, Option } from 'commander';
import { SequencerError } from '../../domain/errors.ts';
import type { StoreId, Uuid } from '../../domain/types.ts';
import { parseUuid } from '../../domain/uuid.ts';
import { databaseKeys } from '../keys/database-keys.ts';
import { type KeyAccess, KeysRefused, type ListedKey } from '../keys/key-access.ts';
import { keyTable } from '../keys/key-table.ts';
import { serverKeys } from '../keys/server-keys.ts';
import { ownDatabase } from '../own-database.ts';
import { StartProblem } from '../start-problem.ts';
import { exitCodes } from './exit-codes.ts';

const help = `
With --server the command asks a node, and needs an API key in --key or SEQUENCER_API_KEY: the bootstrap administrator's to
create, an administrator's of the tenant to list and revoke. Without it the command works on the database itself: the one of
--database-url, or else the one that a node with the same environment would use (DATABASE_URL, or the embedded Postgres in
DATA_DIR, which must then not be in use).

Exit code: 0 done, 2 not done.

Examples:
  npx --no sequencer keys create --tenant "$TENANT" --admin --server http://127.0.0.1:8080
  KEY=$(npx --no sequencer keys create --tenant "$TENANT" --agent "$AGENT" --store "$STORE" --rate-limit 600)
  npx --no sequencer keys list --tenant "$TENANT" --database-url "$DATABASE_URL"
  npx --no sequencer keys revoke --tenant "$TENANT" 9f86d081884c7d65`;

interface AccessOptions {
  readonly tenant: Uuid;
  readonly server?: string;
  readonly key?: string;
  readonly databaseUrl?: string;
}

interface CreateOptions extends AccessOptions {
  readonly agent?: Uuid;
  readonly store?: StoreId[];
  readonly readOnly?: true;
  readonly admin?: true;
  readonly rateLimit?: number;
}

interface ListOptions extends AccessOptions {
  readonly agent?: Uuid;
  readonly json?: true;
}

/** `sequencer keys`: makes, lists and revokes API keys. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('make, list and revoke API keys')
    .addHelpText('after', help)
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand());
}

function createCommand(): Command {
  return withAccess(new Command('create'))
    .description('make a key of a tenant, and print it: it is shown this once')
    .option('--agent <uuid>', 'the agent that the key is bound to', uuid)
    .option('--store <uuid>', 'a store that the key is limited to; may be given several times', appendUuid)
    .addOption(new Option('--read-only', 'the key may only read').conflicts('admin'))
    .option('--admin', 'the key may also manage agents, keys and schemas of the tenant')
    .option('--rate-limit <requests>', 'requests that the key may make in a minute', integer)
    .action(async ({ agent, store, readOnly, admin, rateLimit, ...options }: CreateOptions) => {
      const wanted = {
        storeIds: store ?? null,
        readOnly: readOnly ?? null,
        admin: admin ?? null,
        requestsPerMinuteMax: rateLimit ?? null,
      };
      await withKeys(options, async (keys) => {
        const made = await keys.make(options.tenant, agent ?? null, wanted);
        console.error(`This key is shown once (${made.permissions}, hash prefix ${made.keyHashPrefix}):`);
        console.log(made.apiKey);
      });
    });
}

function listCommand(): Command {
  return withAccess(new Command('list'))
    .description('list the keys of a tenant, newest first, revoked ones too')
    .option('--agent <uuid>', 'only the keys of this agent', uuid)
    .option('--json', 'print one JSON object a line')
    .action(async ({ agent, json, ...options }: ListOptions) => {
      await withKeys(options, async (keys) => {
        const found: ListedKey[] = [];
        for await (const page of keys.pages(options.tenant)) {
          found.push(...page.filter(({ agentId }) => agent === undefined || agentId === agent));
        }
        if (json === true) for (const key of found) console.log(JSON.stringify(key));
        else console.log(found.length === 0 ? 'There are no keys.' : keyTable(found));
      });
    });
}

function revokeCommand(): Command {
  return withAccess(new Command('revoke'))
    .description('make a key unusable for good, on every node within a second')
    .argument('<prefix>', 'how the hash of the key begins, as "keys list" tells it')
    .action(async (prefix: string, options: AccessOptions) => {
      await withKeys(options, async (keys) => {
        await keys.revoke(options.tenant, prefix);
        console.error('The key is revoked.');
      });
    });
}

function withAccess(command: Command): Command {
  return command
    .requiredOption('--tenant <uuid>', 'whose keys', uuid)
    .option('--server <url>', 'the node to ask')
    .addOption(new Option('--key <key>', 'the API key to ask with').env('SEQUENCER_API_KEY'))
    .addOption(new Option('--database-url <url>', 'the Postgres to work on').conflicts('server'));
}

async function withKeys(options: AccessOptions, work: (keys: KeyAccess) => Promise<void>): Promise<void> {
  let keys: KeyAccess | null = null;
  try {
    keys = await openKeys(options);
    await work(keys);
  } catch (error) {
    console.error(describe(error));
    process.exitCode = exitCodes.unusable;
  } finally {
    await keys?.close();
  }
}

async function openKeys({ server, key, databaseUrl }: AccessOptions): Promise<KeyAccess> {
  if (server !== undefined) {
    if (!URL.canParse(server)) throw new KeysRefused('--server takes a URL such as http://127.0.0.1:8080');
    if (key === undefined) throw new KeysRefused('--server also needs --key or SEQUENCER_API_KEY');
    return serverKeys(server, key);
  }
  if (databaseUrl !== undefined) return databaseKeys(databaseUrl, () => Promise.resolve());
  const database = await ownDatabase();
  try {
    return await databaseKeys(database.url, () => database.close());
  } catch (error) {
    await database.close();
    throw error;
  }
}

function describe(error: unknown): string {
  if (error instanceof KeysRefused || error instanceof SequencerError || error instanceof StartProblem) {
    return error.message;
  }
  // The system's and Postgres' errors have codes; whatever has none is a fault of ours.
  if (error instanceof Error && 'code' in error) return error.message;
  throw error;
}

function uuid(text: string): Uuid {
  const parsed = parseUuid(text);
  if (parsed === null) throw new InvalidArgumentError('It must be a UUID.');
  return parsed;
}

function appendUuid(text: string, before: readonly Uuid[] = []): Uuid[] {
  return [...before, uuid(text)];
}

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 0xffff_ffff) {
    throw new InvalidArgumentError('It must be an integer from 1 to 4294967295.');
  }
  return value;
}
