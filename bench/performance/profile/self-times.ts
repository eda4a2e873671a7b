import type { FlameFrame } from '../report.ts';

export interface SelfTime extends Pick<FlameFrame, 'name' | 'origin'> {
  micros: number;
}

/** How long each function ran itself, whoever called it; most first. */
export function selfTimes(root: FlameFrame): SelfTime[] {
  const times = new Map<string, SelfTime>();
  const visit = ({ name, origin, micros, calls }: FlameFrame): void => {
    const inCalls = calls.reduce((sum, call) => sum + call.micros, 0);
    const known = times.get(name);
    if (known === undefined) times.set(name, { name, origin, micros: micros - inCalls });
    else known.micros += micros - inCalls;
    calls.forEach(visit);
  };
  visit(root);
  return [...times.values()].sort((one, other) => other.micros - one.micros);
}
