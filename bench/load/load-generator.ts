import { runCell } from './cell.ts';
import type { LoadPlan } from './load-process.ts';
import { runOpenLoop } from './open-loop.ts';

process.on('message', ({ shape, plan }: LoadPlan) => {
  const figures = shape === 'closed' ? runCell(plan) : runOpenLoop(plan);
  void figures.then((done) => process.send?.(done));
});
