import { setFlagsFromString } from 'node:v8';

/** Of V8, and read anew at each collection; `node --v8-options` describes them. */
const heapGrowthFlags = ['--external-memory-accounted-in-global-limit', '--heap-growing-percent=50'];

/**
 * Has V8 collect the whole heap when it and the buffers outside it have together grown by half since the last time.
 *
 * Of itself it does so for every 64 MB of new buffers as well, which a busy node takes two to four times a second: an eighth
 * to a quarter of its processor time then goes into marking the same objects again and again (ADR 0016).
 */
export function letHeapGrow(): void {
  for (const flag of heapGrowthFlags) setFlagsFromString(flag);
}
