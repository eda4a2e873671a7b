import { Command, InvalidArgumentError } from 'commander';
import { BadSettings, readSettings, type Settings } from '../../config/read-settings.ts';
import { checkDatabase } from '../doctor/check-database.ts';
import { checkMachine } from '../doctor/check-machine.ts';
import { checkNats } from '../doctor/check-nats.ts';
import { checkNode } from '../doctor/check-node.ts';
import { describeFindings, type Finding } from '../doctor/finding.ts';
import { accessConnectionsMax } from '../storage.ts';
import { exitCodes } from './exit-codes.ts';

const help = `
It only reads. Give it the environment of a node: pool sizes, DATA_DIR, credentials and, unless given here, the addresses of
Postgres and NATS come from there. What has no address is not looked at, nor is the embedded Postgres; where nothing has one,
the node on this machine is (PORT). File limits and disk are those of the machine, and the user, that runs the command.

Each finding is a problem (act today), advice (when there is time) or ok; the first two say why, and what to do.
With --json: { "isWell": boolean, "findings": [{ "level", "what", "why", "change" }] }.

Exit code: 0 no problem, though there may be advice; 1 a problem; 2 the settings can't be used.

Examples:
  npx --no sequencer doctor --database-url "$DATABASE_URL" --nodes 3
  npx --no sequencer doctor --server http://127.0.0.1:8080 --key "$KEY" --nats-url "$NATS_URL" --json`;

interface DoctorCliOptions {
  readonly databaseUrl?: string;
  readonly server: readonly string[];
  readonly key?: string;
  readonly natsUrl?: string;
  readonly nodes: number;
  readonly json?: true;
}

/** `sequencer doctor`: looks at a live system and says what to change. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check a live system: Postgres, NATS, nodes, clocks, limits; say what to change')
    .option('--database-url <url>', 'the Postgres to check')
    .option('--server <urls...>', 'the nodes to check', [])
    .option('--key <key>', "an administrator's API key, to ask the nodes for more")
    .option('--nats-url <url>', 'the NATS to check')
    .option('--nodes <count>', 'how many share this Postgres', nodeCount, 3)
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', help)
    .action(async (options: DoctorCliOptions) => {
      // A NATS client that gave up on a silent server leaves its socket open, which would keep this process.
      process.exit(await runDoctor(options));
    });
}

async function runDoctor({ json, ...options }: DoctorCliOptions): Promise<number> {
  let settings: Settings;
  try {
    settings = readSettings();
  } catch (error) {
    if (!(error instanceof BadSettings)) throw error;
    console.error(error.message);
    return exitCodes.unusable;
  }
  const findings = await examine(options, settings);
  const isWell = findings.every(({ level }) => level !== 'problem');
  console.log(json === true ? JSON.stringify({ isWell, findings }, null, 2) : describeFindings(findings));
  return isWell ? exitCodes.ok : exitCodes.failed;
}

async function examine(options: DoctorCliOptions, settings: Settings): Promise<Finding[]> {
  const databaseUrl = options.databaseUrl ?? settings.directDatabaseUrl ?? settings.databaseUrl;
  const natsUrl = options.natsUrl ?? settings.natsUrl;
  const hasAddress = databaseUrl !== null || natsUrl !== null || options.server.length > 0;
  const servers = hasAddress ? options.server : [`http://127.0.0.1:${settings.port}`];
  const expected = {
    nodes: options.nodes,
    connectionsPerNode: settings.maxDbConnections + settings.appendConnections + accessConnectionsMax,
    commitmentEverySecs: settings.commitmentEverySecs,
  };
  const checks = [
    ...(databaseUrl === null ? [] : [checkDatabase(databaseUrl, expected)]),
    ...(natsUrl === null ? [] : [checkNats({ ...settings, natsUrl })]),
    ...servers.map((url) => checkNode(url, options.key ?? null)),
  ];
  return [...(await Promise.all(checks)).flat(), ...checkMachine(settings)];
}

function nodeCount(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 10_000) {
    throw new InvalidArgumentError('It must be an integer from 1 to 10000.');
  }
  return value;
}
