import { Command } from 'commander';
import { SequencerError } from '../../domain/errors.ts';
import { formatTimestamp } from '../../domain/time.ts';
import type { Uuid } from '../../domain/types.ts';
import { plainPayloads, TenantErasure, tokenValidSecs } from '../../storage/postgres/tenant-erasure.ts';
import { commandActor } from '../command-actor.ts';
import { ownDatabase } from '../own-database.ts';
import { openScanPool } from '../scan-database.ts';
import { StartProblem } from '../start-problem.ts';
import { exitCodes } from './exit-codes.ts';
import { readUuid } from './uuid-argument.ts';

const help = `
Destroys the keys of a tenant, so that nobody can read its payloads any more. Its events stay, without their payloads, and
hashes, proofs and commitments go on holding. Nothing can be appended to its stores afterwards. It can't be undone.

The first call says what there is and prints a token; the second, with --confirm, does it. docs/data-lifecycle.md says what
remains, above all in backups.

Without --database-url it works on what a node with the same environment would use.

Exit code: 0 done, 1 refused, 2 it could not be done.

Examples:
  npx --no sequencer erase-tenant "$TENANT"
  npx --no sequencer erase-tenant "$TENANT" --confirm "$TOKEN"`;

interface EraseCliOptions {
  readonly databaseUrl?: string;
  readonly confirm?: string;
}

/** `sequencer erase-tenant`: makes the payloads of a tenant unreadable for good. */
export function eraseTenantCommand(): Command {
  return new Command('erase-tenant')
    .description('destroy the keys of a tenant, and with them its payloads')
    .argument('<tenant-id>', 'whose', readUuid)
    .option('--database-url <url>', 'the Postgres to work on')
    .option('--confirm <token>', 'what the first call printed')
    .addHelpText('after', help)
    .action(async (tenantId: Uuid, options: EraseCliOptions) => {
      process.exitCode = await runErase(tenantId, options);
    });
}

async function runErase(tenantId: Uuid, options: EraseCliOptions): Promise<number> {
  try {
    const database = options.databaseUrl === undefined ? await ownDatabase() : null;
    try {
      const pool = await openScanPool(options.databaseUrl ?? database?.url ?? '');
      try {
        const erasure = new TenantErasure(pool, commandActor());
        return options.confirm === undefined
          ? await announce(tenantId, erasure)
          : await erase(tenantId, options.confirm, erasure);
      } finally {
        await pool.end();
      }
    } finally {
      await database?.close();
    }
  } catch (error) {
    console.error(describe(error));
    return error instanceof SequencerError && error.kind === 'rejected'
      ? exitCodes.failed
      : exitCodes.unusable;
  }
}

/** The first step. */
async function announce(tenantId: Uuid, erasure: TenantErasure): Promise<number> {
  const {
    erasedAt,
    stores,
    legacyEvents,
    vesEvents,
    keys,
    plainPayloads: plain,
  } = await erasure.holdings(tenantId);
  if (erasedAt !== null) {
    console.log(`The tenant ${tenantId} was erased at ${formatTimestamp(erasedAt, 'Z')}.`);
    return exitCodes.ok;
  }
  if (plain > 0) throw plainPayloads(tenantId, plain);
  const { token, expiresAt } = await erasure.request(tenantId);
  console.log(
    [
      `The tenant ${tenantId} has ${stores} stores with ${legacyEvents} legacy and ${vesEvents} signed events, and ${keys} keys.`,
      'Erasing it destroys the keys. From then on nobody can read these payloads, and nothing can be appended to these stores.',
      'What stays: ids, names of entities and event types, times, hashes, signatures, commitments and proofs.',
      'What this does not reach: copies of the keys in backups of the database, and payloads that someone has read or exported.',
      '',
      `To go on, within ${tokenValidSecs / 60} minutes (until ${formatTimestamp(expiresAt, 'Z')}):`,
      `  npx --no sequencer erase-tenant ${tenantId} --confirm ${token}`,
    ].join('\n'),
  );
  return exitCodes.ok;
}

/** The second step. */
async function erase(tenantId: Uuid, token: string, erasure: TenantErasure): Promise<number> {
  const destroyed = await erasure.erase(tenantId, token);
  console.log(`The tenant ${tenantId} is erased: ${destroyed} keys are destroyed, its stores are closed.`);
  try {
    await erasure.forgetDeletedKeys();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(
      `The file of the table still holds what was deleted: run "vacuum (full) payload_keys" in Postgres (${reason}).`,
    );
  }
  console.log('Backups from before still hold the wrapped keys: see docs/data-lifecycle.md.');
  return exitCodes.ok;
}

function describe(error: unknown): string {
  if (error instanceof SequencerError || error instanceof StartProblem) return error.message;
  // The system's and Postgres' errors have codes; whatever has none is a fault of ours.
  if (error instanceof Error && 'code' in error) return error.message;
  throw error;
}
