import { seededRandom } from './seeded-random.ts';

export const faultKinds = ['kill', 'pause', 'restart NATS', 'crash Postgres', 'rolling restart'] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Index of the node that it hits, where it hits one. */
  readonly node: number;
  /** How long what it hits stays away. */
  readonly awayMs: number;
  /** How long nothing happens afterwards. */
  readonly calmMs: number;
}

/** The shortest and the longest time away, in milliseconds. A paused node may or may not be given up by the others. */
const away: Readonly<Record<FaultKind, readonly [number, number]>> = {
  kill: [500, 3_000],
  pause: [1_500, 14_000],
  'restart NATS': [200, 4_000],
  'crash Postgres': [200, 4_000],
  'rolling restart': [0, 0],
};
const calm = [1_500, 4_000] as const;

/**
 * Faults without end, the same for the same seed: rounds that have each kind once, in an order of their own, so that a
 * run of one round has met all of them.
 */
export function* planFaults(seed: number, nodes: number): Generator<PlannedFault, never> {
  const random = seededRandom(seed);
  const between = ([min, max]: readonly [number, number]): number => Math.round(min + random() * (max - min));
  for (;;) {
    const left: FaultKind[] = [...faultKinds];
    while (left.length > 0) {
      const [kind] = left.splice(Math.floor(random() * left.length), 1) as [FaultKind];
      yield { kind, node: Math.floor(random() * nodes), awayMs: between(away[kind]), calmMs: between(calm) };
    }
  }
}
