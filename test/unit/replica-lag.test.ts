import { ReplicaLag } from '../../storage/postgres/replica-lag.ts';

/** What each of these looks says, one second apart. */
function lags(looks: readonly (readonly [primary: number, replica: number])[]): number[] {
  const lag = new ReplicaLag();
  return looks.map(([primary, replica], index) => lag.look({ primary, replica, atMs: index * 1_000 }));
}

describe('the lag of a replica', () => {
  test('is 0 while it has everything, however long nothing happens', () => {
    expect(lags([...Array.from({ length: 5 }, () => [7, 7] as const), [8, 8]])).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('is 0 while it has at each look what there was at the one before', () => {
    expect(
      lags([
        [10, 5],
        [20, 10],
        [30, 20],
      ]),
    ).toEqual([0, 0, 0]);
  });

  test('grows while it replays nothing, also when the primary does no more', () => {
    expect(
      lags([
        [10, 10],
        [20, 10],
        [30, 10],
        [30, 10],
        [30, 10],
      ]),
    ).toEqual([0, 0, 1, 2, 3]);
  });

  test('shrinks to the age of the oldest thing that it still lacks, and ends', () => {
    expect(
      lags([
        [20, 10],
        [30, 10],
        [40, 10],
        [50, 20],
        [50, 45],
        [50, 50],
      ]),
    ).toEqual([0, 1, 2, 2, 1, 0]);
  });

  test('is still known after hours of standing still', () => {
    const lag = new ReplicaLag();
    let last = 0;
    for (let second = 0; second <= 7_200; second++) {
      last = lag.look({ primary: 10 + second, replica: 9, atMs: second * 1_000 });
    }
    expect(last).toBe(7_200);
    expect(lag.look({ primary: 8_000, replica: 8_000, atMs: 7_201_000 })).toBe(0);
  });
});
