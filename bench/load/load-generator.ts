import { runCell, type CellPlan } from './cell.ts';

process.on('message', (plan: CellPlan) => {
  void runCell(plan).then((figures) => process.send?.(figures));
});
