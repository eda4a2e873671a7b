import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { CellFigures, CellPlan } from './cell.ts';
import type { OpenLoopFigures, OpenLoopPlan } from './open-loop.ts';

/** The process that the load comes from; it does one thing at a time. */
export interface LoadProcess {
  /** A closed loop on each connection. */
  run(plan: CellPlan): Promise<CellFigures>;
  /** Requests at a steady pace. */
  runOpenLoop(plan: OpenLoopPlan): Promise<OpenLoopFigures>;
  close(): void;
}

/** As it is sent to that process. */
export type LoadPlan =
  | { readonly shape: 'closed'; readonly plan: CellPlan }
  | { readonly shape: 'open'; readonly plan: OpenLoopPlan };

export function openLoadProcess(): LoadProcess {
  const child = fork(join(import.meta.dirname, 'load-generator.ts'), { stdio: 'inherit' });
  const ask = (plan: LoadPlan): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const onEnd = (): void => reject(new Error('the load generator ended'));
      child.once('exit', onEnd);
      child.once('message', (figures) => {
        child.off('exit', onEnd);
        resolve(figures);
      });
      child.send(plan);
    });
  return {
    run: async (plan) => (await ask({ shape: 'closed', plan })) as CellFigures,
    runOpenLoop: async (plan) => (await ask({ shape: 'open', plan })) as OpenLoopFigures,
    close: () => {
      if (child.connected) child.disconnect();
      // It may be in the middle of a plan that nobody waits for any more.
      child.kill();
    },
  };
}
