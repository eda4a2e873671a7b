import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { CellFigures, CellPlan } from './cell.ts';

/** The process that the load comes from. */
export interface LoadProcess {
  /** One cell at a time. */
  run(plan: CellPlan): Promise<CellFigures>;
  close(): void;
}

export function openLoadProcess(): LoadProcess {
  const child = fork(join(import.meta.dirname, 'load-generator.ts'), { stdio: 'inherit' });
  return {
    run: (plan) =>
      new Promise((resolve, reject) => {
        const onEnd = (): void => reject(new Error('the load generator ended'));
        child.once('exit', onEnd);
        child.once('message', (figures) => {
          child.off('exit', onEnd);
          resolve(figures as CellFigures);
        });
        child.send(plan);
      }),
    close: () => child.disconnect(),
  };
}
