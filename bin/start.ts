import { BadSettings, readSettings } from '../config/read-settings.ts';
import { SequencerError } from '../domain/errors.ts';
import { type Log, openLog } from '../telemetry/log.ts';
import { keptNodeId, openDataDir } from './data-dir.ts';
import { letHeapGrow } from './heap-growth.ts';
import { Interruption } from './interruption.ts';
import { openOutput } from './output.ts';
import { releaseTimesMs } from './release-times.ts';
import { Releases } from './releases.ts';
import { shutDownOnSignal } from './shutdown.ts';
import { startNode } from './start-node.ts';
import { StartProblem } from './start-problem.ts';
import { version } from './version.ts';
import { within } from './within.ts';

const endAfterFaultMs = 10_000;

letHeapGrow();
process.exit(await run());

/** One whole node, from the settings in the environment to its end. @returns the exit code */
async function run(): Promise<number> {
  const interruption = new Interruption(process);
  const releases = new Releases();
  try {
    const settings = readSettings();
    const dataDir = await openDataDir(settings.dataDir);
    releases.add('give DATA_DIR free', releaseTimesMs.dataDir, () => dataDir.release());
    const nodeId = settings.nodeId ?? (await keptNodeId(dataDir));
    const log = openLog({
      level: settings.logLevel,
      format: settings.logFormat,
      serviceName: settings.otelServiceName,
      nodeId,
    });
    const output = openOutput(settings.logFormat, log);
    const end = ender(log, releases);
    process.once('uncaughtException', (error) => end('a fault that nothing handles: the node ends', error));
    output.say(`StateSet Sequencer ${version} starts.`);
    for (const warning of settings.warnings) log.warn(warning);

    const node = await startNode(settings, {
      dataDir,
      nodeId,
      log,
      output,
      interruption,
      releases,
      end: (reason) => end(reason.message, reason),
    });
    interruption.check();
    interruption.end();
    return await shutDownOnSignal(
      process,
      {
        announce: () => node.announceShutdown(),
        drain: () => node.drain(),
        close: () => releases.runAll(),
      },
      {
        delayMs: settings.shutdownDelaySecs * 1_000,
        drainMs: settings.shutdownDrainSecs * 1_000,
        say: output.say,
      },
    );
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    await releases.runAll();
    return 1;
  }
}

/**
 * Ends the node at once, with its database: after a fault that nobody caught, nobody knows what state it is in. What
 * was acknowledged is durable, and the next start has nothing to take over.
 */
function ender(log: Log, releases: Releases): (message: string, error: Error) => void {
  return (message, error) => {
    log.error({ err: error }, message);
    void within(endAfterFaultMs, releases.runAll()).finally(() => process.exit(1));
  };
}

/** A sentence where we have one for the user; the whole story of a fault where we don't. */
function describe(error: unknown): string {
  const isSentence =
    error instanceof StartProblem || error instanceof BadSettings || error instanceof SequencerError;
  if (isSentence) return error.message;
  return `The start failed, and no one foresaw why:\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
