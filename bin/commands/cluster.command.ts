import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { ClusterBody } from '../../services/gateway/handlers/read-cluster.ts';
import { SequencerClient } from '../driver/sequencer-client.ts';
import { describeCluster } from './cluster/describe-cluster.ts';
import { exitCodes } from './exit-codes.ts';

const help = `
What the columns mean is described in docs/cluster.md. The key is one of the bootstrap administrator.

Exit code: 0 every member answers, 1 one is silent, 2 the server can't be asked.

Examples:
  npx --no sequencer cluster --key "$(cat .data/cluster/admin-api-key)"
  npx --no sequencer cluster --server http://127.0.0.1:8080 --key "$KEY" --stores 10 --watch`;

interface ClusterCliOptions {
  readonly server: string;
  readonly key: string;
  readonly stores: string;
  readonly watch?: true;
  readonly json?: true;
}

const watchEveryMs = 1_000;
const timeoutMs = 10_000;
const clearScreen = '\x1b[2J\x1b[H';

/** `sequencer cluster`: who is there, what each node has, and how the last takeover went. */
export function clusterCommand(): Command {
  return new Command('cluster')
    .description('show the nodes of a cluster, what each owns, and the last takeovers')
    .option('--server <url>', 'any node or what stands in front of them', 'http://127.0.0.1:8080')
    .requiredOption('--key <key>', 'an API key of the bootstrap administrator')
    .option('--stores <count>', 'how many stores of each node to list, those used last first', '0')
    .option('--watch', 'again every second, until Ctrl-C')
    .option('--json', 'print the answer of the server as it is')
    .addHelpText('after', help)
    .action(async (options: ClusterCliOptions) => {
      process.exitCode = await runCluster(options);
    });
}

async function runCluster({ server, key, stores, watch, json }: ClusterCliOptions): Promise<number> {
  const client = new SequencerClient({ url: server, apiKey: key, connectionsMax: 1, timeoutMs });
  try {
    for (;;) {
      const { text, exitCode } = await look(client, stores, json === true);
      if (watch === true) process.stdout.write(clearScreen);
      (exitCode === exitCodes.unusable ? console.error : console.log)(text);
      if (watch !== true) return exitCode;
      await sleep(watchEveryMs);
    }
  } finally {
    client.close();
  }
}

async function look(
  client: SequencerClient,
  stores: string,
  asJson: boolean,
): Promise<{ text: string; exitCode: number }> {
  try {
    const { status, body } = await client.send(
      'GET',
      `/api/v1/admin/cluster?stores=${encodeURIComponent(stores)}`,
    );
    if (status !== 200)
      return { text: `The server answers ${status}: ${body}`, exitCode: exitCodes.unusable };
    const cluster = JSON.parse(body) as ClusterBody;
    const isSilent = cluster.nodes.some(({ state }) => state === 'silent');
    return {
      text: asJson ? body : describeCluster(cluster),
      exitCode: isSilent ? exitCodes.failed : exitCodes.ok,
    };
  } catch (error) {
    return { text: `The server can't be asked: ${(error as Error).message}`, exitCode: exitCodes.unusable };
  }
}
