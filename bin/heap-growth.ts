import { setFlagsFromString } from 'node:v8';

/** Of V8, and read anew at each collection; `node --v8-options` describes them. */
export const heapGrowthFlags = ['--external-memory-accounted-in-global-limit', '--heap-growing-percent=100'];

/**
 * Has V8 collect the whole heap when it and the buffers outside it have together doubled since the last time.
 *
 * Of itself it does so for every 64 MB of new buffers as well, which a node takes in and makes several times a second:
 * then a quarter of its processor time goes into marking the same objects again and again (ADR 0016).
 */
export function letHeapDouble(): void {
  for (const flag of heapGrowthFlags) setFlagsFromString(flag);
}
