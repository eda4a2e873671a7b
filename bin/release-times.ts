/**
 * How long each thing that a node holds may take to be given back at its end, in ms. They are given back one after the other,
 * after the drain, so whoever kills a node that does not end must wait for all of them.
 */
export const releaseTimesMs = {
  traces: 5_000,
  /** A fast stop of the embedded Postgres and, after it, an immediate one. */
  postgres: 70_000,
  storage: 5_000,
  knownHeads: 5_000,
  dataDir: 5_000,
} as const;
