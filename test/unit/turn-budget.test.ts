import { TurnBudget } from '../../services/sequencer/turn-budget.ts';

/** A loop whose turns end when told to. */
function openLoop() {
  const next: (() => void)[] = [];
  return {
    onNextTurn: (run: () => void) => void next.push(run),
    endTurn: async () => {
      next.splice(0).forEach((run) => run());
      await new Promise((resolve) => setImmediate(resolve));
    },
    isAwaited: () => next.length > 0,
  };
}

test('requests are begun at once while the turn has something left, the others in later turns, in order', async () => {
  const loop = openLoop();
  const budget = new TurnBudget(100, loop.onNextTurn);
  const begun: number[] = [];
  [60, 60, 500, 10, 10].forEach((bytes, index) => void budget.take(bytes).then(() => begun.push(index)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual([0, 1]);
  await loop.endTurn();
  expect(begun).toEqual([0, 1, 2]);
  await loop.endTurn();
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test('an idle budget waits for no turn', async () => {
  const loop = openLoop();
  const budget = new TurnBudget(100, loop.onNextTurn);
  await budget.take(10);
  await loop.endTurn();
  expect(loop.isAwaited()).toBe(false);
});

test('nothing is lost among many', async () => {
  const budget = new TurnBudget(1_000);
  await Promise.all(Array.from({ length: 500 }, (_, index) => budget.take(index * 7)));
});
