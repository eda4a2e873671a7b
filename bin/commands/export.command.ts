import { Command, InvalidArgumentError, Option } from 'commander';
import { SequencerError } from '../../domain/errors.ts';
import type { Sequence, Uuid, World } from '../../domain/types.ts';
import { LogScan } from '../../storage/postgres/log-scan.ts';
import { SequencerClient } from '../driver/sequencer-client.ts';
import { databaseSource } from '../export/database-source.ts';
import { ExportFailed } from '../export/export-failed.ts';
import {
  type ExportOutput,
  type ExportProgress,
  FileOutput,
  readExportProgress,
  StandardOutput,
} from '../export/export-file.ts';
import type { ExportSource } from '../export/export-source.ts';
import { exportStream } from '../export/export-stream.ts';
import { httpSource } from '../export/http-source.ts';
import { CountProgress } from '../count-progress.ts';
import { masterKeysOfEnvironment } from '../payload-encryption.ts';
import { openScanPool } from '../scan-database.ts';
import { scanVault } from '../scan-vault.ts';
import { StartProblem } from '../start-problem.ts';
import { exitCodes } from './exit-codes.ts';
import { readUuid } from './uuid-argument.ts';

const help = `
Give either --url with --key, or --database-url. The key needs the right to read the store. From the database an
export also holds each stored leaf and signing hash; payloads that nodes encrypted are opened with the keys of
PAYLOAD_ENCRYPTION_KEYS.

The format is described in docs/verify.md. It ends at the head that the stream has when the export begins.

Exit code: 0 written, 1 cut off (go on with --resume), 2 nothing could be written.

Examples:
  npx --no sequencer export --url http://127.0.0.1:8080 --key "$KEY" --tenant "$TENANT" --store "$STORE" --output store.jsonl
  npx --no sequencer export --database-url "$DATABASE_URL" --tenant "$TENANT" --store "$STORE" --world legacy > store.jsonl`;

interface ExportCliOptions {
  readonly url?: string;
  readonly key?: string;
  readonly databaseUrl?: string;
  readonly tenant: Uuid;
  readonly store: Uuid;
  readonly world: World;
  readonly from: Sequence;
  readonly output?: string;
  readonly resume?: true;
}

/** `sequencer export`: writes a stream with its commitments and keys, for `verify`, for a backup, for another program. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write a stream with its commitments and public keys, one JSON object a line')
    .option('--url <url>', 'the node to read from')
    .option('--key <key>', 'an API key that may read the store')
    .option('--database-url <url>', 'the Postgres to read from instead')
    .requiredOption('--tenant <uuid>', 'whose store', readUuid)
    .requiredOption('--store <uuid>', 'which store', readUuid)
    .addOption(
      new Option('--world <world>', 'which of its streams').choices(['ves', 'legacy']).default('ves'),
    )
    .option('--from <sequence>', 'the first event to write', sequence, 1 as Sequence)
    .option('--output <file>', 'where to write; standard output unless given')
    .option('--resume', 'go on with a file that was cut off')
    .addHelpText('after', help)
    .action(async (options: ExportCliOptions, command: Command) => {
      const isOneSource = (options.url === undefined) !== (options.databaseUrl === undefined);
      if (!isOneSource) command.error('error: give either --url or --database-url');
      if (options.url !== undefined && options.key === undefined)
        command.error('error: --url also needs --key');
      if (options.resume === true && options.output === undefined) {
        command.error('error: --resume also needs --output');
      }
      process.exitCode = await runExport(options);
    });
}

async function runExport(options: ExportCliOptions): Promise<number> {
  const progress = new CountProgress('events');
  let source: ExportSource | null = null;
  let output: ExportOutput | null = null;
  try {
    const { output: file, tenant: tenantId, store: storeId, world } = options;
    const resumed: ExportProgress | null =
      options.resume === true && file !== undefined ? await readExportProgress(file) : null;
    const stream = { tenantId, storeId, world };
    source = await openSource(options, stream);
    output = file === undefined ? new StandardOutput() : new FileOutput(file, resumed);
    const result = await exportStream({
      source,
      stream,
      output,
      from: options.from,
      resumed,
      exportedAt: new Date().toISOString(),
      onEvents: (done, total) => progress.show(done, total),
    });
    progress.stop();
    console.error(
      `Wrote ${result.events} events up to ${result.head}, and ${result.commitments} commitments.` +
        (result.agentKeysMissing.length > 0
          ? ` The public keys of ${result.agentKeysMissing.length} signers are not among them: they are gone.`
          : ''),
    );
    return exitCodes.ok;
  } catch (error) {
    progress.stop();
    console.error(describe(error));
    return output?.hasBegun === true ? exitCodes.failed : exitCodes.unusable;
  } finally {
    await output?.close();
    await source?.close();
  }
}

async function openSource(
  { url, key, databaseUrl }: ExportCliOptions,
  stream: { readonly tenantId: Uuid; readonly storeId: Uuid; readonly world: World },
): Promise<ExportSource> {
  if (databaseUrl === undefined) {
    const client = new SequencerClient({
      url: (url ?? '').replace(/\/+$/, ''),
      apiKey: key ?? '',
      connectionsMax: 2,
    });
    return httpSource(client, stream);
  }
  const pool = await openScanPool(databaseUrl);
  try {
    const vault = scanVault(pool, masterKeysOfEnvironment());
    return await databaseSource(new LogScan(pool), vault, stream, () => pool.end());
  } catch (error) {
    await pool.end();
    throw error;
  }
}

function describe(error: unknown): string {
  if (error instanceof ExportFailed || error instanceof SequencerError || error instanceof StartProblem) {
    return error.message;
  }
  // The system's and Postgres' errors have codes; whatever has none is a fault of ours.
  if (error instanceof Error && 'code' in error) return error.message;
  throw error;
}

function sequence(text: string): Sequence {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be an integer from 1.');
  return value as Sequence;
}
