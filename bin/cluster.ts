import { Command, InvalidArgumentError } from 'commander';
import { SequencerError } from '../domain/errors.ts';
import { type Cluster, startCluster } from './cluster/cluster.ts';
import { StartProblem } from './start-problem.ts';
import { firstRequests } from './welcome.ts';

interface ClusterCommandOptions {
  readonly nodes: number;
  readonly dataDir: string;
  readonly port: number;
}

const program = new Command('cluster')
  .description(
    'Runs a cluster of real processes on this machine: Postgres, nats-server, several nodes, and a proxy that gives ' +
      'each request to the next node. Ctrl-C stops all of them; the data stays.',
  )
  .option('--nodes <count>', 'how many nodes', integer(1, 32), 3)
  .option('--data-dir <directory>', 'where everything is kept', '.data/cluster')
  .option('--port <port>', "the proxy's port; 0 takes any free one", integer(0, 65_535), 8080)
  .addHelpText('after', '\nExamples:\n  npm run cluster\n  npm run cluster -- --nodes 5 --port 9000');

process.exitCode = await run(program.parse().opts<ClusterCommandOptions>());

async function run({ nodes, dataDir, port }: ClusterCommandOptions): Promise<number> {
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  try {
    const say = (sentence: string): void => console.log(`  ${sentence}`);
    console.log('The cluster starts.');
    const starting = startCluster({ nodes, dataDir, port, onProgress: say });
    // What has started must be known before it can be stopped, so a Ctrl-C now waits for the start.
    const cluster = await starting;
    console.log(describe(cluster).join('\n'));
    await interrupted;
    console.log('Stopping.');
    await cluster.stop();
    console.log('Stopped.');
    return 0;
  } catch (error) {
    console.error(isSentence(error) ? error.message : error);
    return 1;
  }
}

function describe({ url, adminKey, dataDir, nodes, nats }: Cluster): string[] {
  return [
    `The cluster answers on ${url}, which gives each request to the next of ${nodes.length} nodes:`,
    ...nodes.map((node) => `  ${node.name} on ${node.url}, log in ${node.logFile}`),
    `NATS is on ${nats.url}; the events, keys and logs lie in ${dataDir}`,
    `The admin key is ${adminKey}`,
    ...firstRequests(url, ` -H "Authorization: ApiKey ${adminKey}"`),
    'See who owns what:',
    `  npx --no sequencer cluster --server ${url} --key ${adminKey} --watch`,
    'Ctrl-C stops everything.',
  ];
}

function isSentence(error: unknown): error is Error {
  return (
    error instanceof StartProblem ||
    error instanceof SequencerError ||
    (error as { code?: string }).code === 'EADDRINUSE'
  );
}

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`);
  };
}
