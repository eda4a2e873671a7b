import { setTimeout as sleep } from 'node:timers/promises';

import type { Postmaster } from './postmaster.ts';
import { processIdentity } from './process-identity.ts';

const pollMs = 500;
const pauseAfterFailureMs = 5_000;

/**
 * Starts the server again when it ends on its own, out of memory say: nothing else would, short of a restart of
 * the node. The node itself only sees a database that is away for a moment.
 */
export function watchPostmaster(
  first: Postmaster,
  startAgain: () => Promise<Postmaster>,
  onProgress: (sentence: string) => void,
): { end(): Promise<void> } {
  const ended = new AbortController();
  const pause = (ms: number) =>
    sleep(ms, undefined, { signal: ended.signal, ref: false }).catch(() => undefined);

  async function watch(): Promise<void> {
    let { pid } = first;
    let identity = await processIdentity(pid);
    while (!ended.signal.aborted) {
      await pause(pollMs);
      const found = await processIdentity(pid);
      if (ended.signal.aborted || (found !== null && found === identity)) continue;
      onProgress(`Postgres (process ${pid}) ended; starting it again`);
      try {
        ({ pid } = await startAgain());
        identity = await processIdentity(pid);
        onProgress(`Postgres runs again (process ${pid})`);
      } catch (error) {
        onProgress(error instanceof Error ? error.message : String(error));
        await pause(pauseAfterFailureMs);
      }
    }
  }

  const watching = watch();
  return {
    async end() {
      ended.abort();
      await watching;
    },
  };
}
