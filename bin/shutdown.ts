import { setTimeout as sleep } from 'node:timers/promises';
import { within } from './within.ts';

/** What a shutdown works on, in its order. */
export interface ShutdownSteps {
  /** Turns /ready to 503, so that load balancers look away. Requests are still served. */
  announce(): void;
  /** Stops accepting and answers everything the node holds. */
  drain(): Promise<void>;
  /** Stops the database, if it is ours, and gives the data directory free. A second call waits for the first. */
  close(): Promise<void>;
}

export interface ShutdownOptions {
  readonly delayMs: number;
  readonly drainMs: number;
  /** For the person at the terminal, or the log. */
  readonly say: (sentence: string) => void;
}

type Mode = 'running' | 'delaying' | 'draining';

/** npm passes on the Ctrl-C that the terminal has sent to the whole group already. */
const sameSignalMs = 500;
const closeAtOnceMs = 3_000;
const consequence = 'Clients whose connection breaks settle it by sending the same event ids again.';

/**
 * Ends the node when asked to. Modes: running → delaying → draining → the process ends.
 *
 * SIGTERM announces, serves on for the delay, drains and ends with 0. SIGINT and SIGHUP skip the delay, and so does
 * a second signal. One during the drain ends it at once with 1; a drain that takes too long ends with 1 as well. What
 * was acknowledged is durable by then anyway.
 * @returns the exit code, once the process may end
 */
export function shutDownOnSignal(
  signals: NodeJS.EventEmitter,
  steps: ShutdownSteps,
  { delayMs, drainMs, say }: ShutdownOptions,
): Promise<number> {
  let mode: Mode = 'running';
  let lastSignalMs = -Infinity;
  const hurry = new AbortController();

  return new Promise((resolve) => {
    async function shutDown(delay: boolean): Promise<void> {
      steps.announce();
      if (delay && delayMs > 0) {
        mode = 'delaying';
        say(`Stopping: still serving for ${delayMs / 1_000} s, so that load balancers look away first.`);
        await sleep(delayMs, undefined, { signal: hurry.signal }).catch(() => undefined);
      }
      mode = 'draining';
      say('Stopping: answering what is held.');
      const drained = await drainInTime();
      await steps.close();
      say('Stopped.');
      resolve(drained ? 0 : 1);
    }

    async function drainInTime(): Promise<boolean> {
      try {
        if ((await within(drainMs, steps.drain())) !== 'late') return true;
        say(
          `Not everything could be answered within SHUTDOWN_DRAIN_SECS (${drainMs / 1_000} s). ${consequence}`,
        );
      } catch (error) {
        say(`The node could not drain (${messageOf(error)}). ${consequence}`);
      }
      return false;
    }

    async function stopAtOnce(): Promise<void> {
      say(`A second signal: stopping at once. ${consequence}`);
      await within(closeAtOnceMs, steps.close());
      resolve(1);
    }

    function onSignal(signal: NodeJS.Signals): void {
      const now = performance.now();
      if (now - lastSignalMs < sameSignalMs) return;
      lastSignalMs = now;
      if (mode === 'delaying') hurry.abort();
      else
        (mode === 'running' ? shutDown(signal === 'SIGTERM') : stopAtOnce()).catch((error: unknown) => {
          say(`The shutdown failed: ${messageOf(error)}`);
          resolve(1);
        });
    }

    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) signals.on(signal, onSignal);
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
