import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { loadDeliveries } from './demo/deliveries.ts';
import { Progress } from './demo/progress.ts';
import { replay } from './demo/replay.ts';
import { describeResult, wholeNumber } from './demo/result-table.ts';
import { type NodeProcess, startNodeProcess } from './driver/node-process.ts';
import { SequencerClient } from './driver/sequencer-client.ts';

interface DemoOptions {
  readonly url?: string;
  readonly key?: string;
  readonly events: number;
  readonly stores: number;
}

const program = new Command('demo')
  .description(
    'Replays real webhook payloads as events of several stores, reads every stream back, and checks the order, ' +
      'each byte, the hashes and that no sequence is missing. Exit code 0 when all of it holds, 1 when not.',
  )
  .option(
    '--url <url>',
    'a node that runs already; without it the demo starts one and removes its data at the end',
  )
  .option('--key <key>', 'an API key that may read and write; needed with --url')
  .option('--events <count>', 'how many events to append', count, 3_000)
  .option('--stores <count>', 'over how many stores, each a stream of its own', count, 4)
  .addHelpText(
    'after',
    '\nExamples:\n  npm run demo\n  npm run demo -- --events 20000 --stores 8' +
      '\n  npm run demo -- --url http://127.0.0.1:8080 --key "$(cat .data/admin-api-key)"',
  );

const options = program.parse().opts<DemoOptions>();
if (options.url !== undefined && options.key === undefined) program.error('--url also needs --key');

process.exitCode = await runDemo(options).catch((error: unknown) => {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});

async function runDemo({ url, key, events, stores }: DemoOptions): Promise<number> {
  const deliveries = await loadDeliveries();
  const node =
    url === undefined || key === undefined ? await startOwnNode() : { url, key, stop: () => undefined };
  const client = new SequencerClient({ url: node.url, apiKey: node.key, connectionsMax: stores * 2 });
  try {
    console.log(
      `Replaying ${deliveries.length} webhook payloads as ${wholeNumber(events)} events of ${stores} stores`,
    );
    const progress = new Progress(events);
    const result = await replay({
      client,
      deliveries,
      eventCount: events,
      storeCount: stores,
      onAppended: (done) => progress.advance('append', done),
      onRead: (done) => progress.advance('read', done),
    }).finally(() => progress.stop());
    console.log(describeResult(result, events, stores));
    return result.report.holds && result.hashesWrong === 0 && result.hashesChecked === events ? 0 : 1;
  } finally {
    client.close();
    await node.stop();
  }
}

/** A node with its own database below the temporary directory; nothing of it is left afterwards. */
async function startOwnNode(): Promise<{ url: string; key: string; stop: () => Promise<void> }> {
  console.log('Starting a node with a database of its own …');
  const folder = mkdtempSync(join(tmpdir(), 'sequencer-demo-'));
  chmodSync(folder, 0o755); // Postgres does not run as root, so another user must get in.
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  const key = `ss_${randomBytes(24).toString('base64url')}`;
  let node: NodeProcess;
  try {
    const env = { DATA_DIR: join(folder, 'data'), BOOTSTRAP_ADMIN_API_KEY: key, SHUTDOWN_DELAY_SECS: '0' };
    node = await startNodeProcess({ env });
  } catch (error) {
    removeFolder();
    throw error;
  }
  const stop = async (): Promise<void> => {
    await node.stop();
    removeFolder();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop().then(() => process.exit(130)));
  }
  return { url: node.url, key, stop };
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be an integer from 1.');
  return value;
}
