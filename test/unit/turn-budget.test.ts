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
  [60, 60, 500, 10, 10].forEach((bytes, index) => void budget.take('a', bytes).then(() => begun.push(index)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual([0, 1]);
  await loop.endTurn();
  expect(begun).toEqual([0, 1, 2]);
  await loop.endTurn();
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test('a tenant with one request waits for one of each other tenant, however many those have', async () => {
  const loop = openLoop();
  const budget = new TurnBudget(100, loop.onNextTurn);
  const begun: string[] = [];
  const take = (name: string) => void budget.take(name.slice(0, 1), 100).then(() => begun.push(name));
  ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].forEach(take);
  for (let turn = 0; turn < 7; turn += 1) await loop.endTurn();
  expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
});

test('an idle budget waits for no turn', async () => {
  const loop = openLoop();
  const budget = new TurnBudget(100, loop.onNextTurn);
  await budget.take('a', 10);
  await loop.endTurn();
  expect(loop.isAwaited()).toBe(false);
});

test('nothing is lost among many', async () => {
  const budget = new TurnBudget(1_000);
  await Promise.all(Array.from({ length: 500 }, (_, index) => budget.take(`tenant ${index % 7}`, index * 7)));
});
