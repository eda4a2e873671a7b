/** Connections for everything but appends, which have their own. */
export interface PoolCounts {
  readonly active: number;
  readonly idle: number;
  readonly max: number;
}

export type PoolStatus = 'healthy' | 'moderate' | 'stressed' | 'critical';

const statuses = [
  { from: 95, status: 'critical' },
  { from: 80, status: 'stressed' },
  { from: 50, status: 'moderate' },
] as const;

/** How much of a pool is in use, in percent, and what that is called. */
export function poolUse({ active, max }: PoolCounts): {
  readonly percent: number;
  readonly status: PoolStatus;
} {
  const percent = max === 0 ? 0 : (active / max) * 100;
  return { percent, status: statuses.find(({ from }) => percent >= from)?.status ?? 'healthy' };
}
