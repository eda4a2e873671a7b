import { bytesAt, measuredFigures } from '../../../bin/capacity/measured.ts';
import { type Demand, planCapacity } from '../../../bin/capacity/plan-capacity.ts';

const demand: Demand = {
  eventsPerDay: 8_640_000, // 100 a second.
  payloadBytes: 1_072,
  agents: 100,
  streams: 1_000,
  retentionDays: 10,
  signedShare: 0,
  replicas: 1,
  peakFactor: 5,
  walArchiveDays: 7,
};

describe('a capacity plan', () => {
  test('has the measured bytes at the sizes that were measured', () => {
    expect(bytesAt(measuredFigures.unsigned.table, 155)).toBe(557);
    expect(bytesAt(measuredFigures.unsigned.table, 1_072)).toBe(1_501);
    expect(planCapacity(demand).storage.bytesPerEvent).toBe(1_501 + 212);
    expect(planCapacity({ ...demand, signedShare: 1 }).storage.bytesPerEvent).toBe(1_780 + 212);
  });

  test('adds up over days, replicas and the archive', () => {
    const { storage } = planCapacity(demand);
    expect(storage.events).toBe(86_400_000 * 1_713);
    expect(storage.commitments).toBe(86_400_000 * 43);
    expect(storage.walArchive).toBe(storage.walPerDay * 7);
    expect(storage.total).toBe(2 * storage.perServer + storage.walArchive);
  });

  test('logs two index pages whole for each event that finds them unchanged since a checkpoint, and none twice', () => {
    const wholePages = (changes: Partial<Demand>): number => {
      const { storage } = planCapacity({ ...demand, ...changes });
      const { eventsPerDay } = { ...demand, ...changes };
      return (storage.walPerDay - eventsPerDay * 1_788) / 6_000;
    };
    // One event between checkpoints among so many pages.
    expect(wholePages({ eventsPerDay: 96, retentionDays: 36_500 })).toBeCloseTo(2 * 96, 1);
    // So many that each of the 576,000 pages of an index is changed by ten.
    const busy = { eventsPerDay: 96 * 5_760_000, retentionDays: (150 * 576_000) / (96 * 5_760_000) };
    expect(wholePages(busy) / (96 * 2 * 576_000)).toBeCloseTo(1, 3);
    expect(wholePages({})).toBeLessThan(2 * demand.eventsPerDay);
  });

  test('has three nodes for a small load, and one more than the load needs for a large one', () => {
    expect(planCapacity(demand).rate.peakPerSecond).toBe(500);
    expect(planCapacity(demand).nodes).toEqual({ forLoad: 1, advised: 3 });
    // 50,000 a second; a node is to take half of 9,099.
    expect(planCapacity({ ...demand, eventsPerDay: 864_000_000 }).nodes).toEqual({
      forLoad: 11,
      advised: 12,
    });
  });

  test('needs more nodes the more events are signed', () => {
    const busy = { ...demand, eventsPerDay: 864_000_000 };
    const nodes = [0, 0.25, 0.5, 0.75, 1].map(
      (signedShare) => planCapacity({ ...busy, signedShare }).nodes.forLoad,
    );
    expect(nodes).toEqual(nodes.toSorted((one, other) => one - other));
    expect(nodes.at(-1)).toBe(Math.ceil(50_000 / (3_674 / 2)));
  });

  test('counts the connections of every node and replica', () => {
    expect(planCapacity(demand).postgres.connections).toBe(3 * 15 + 20 + 2);
  });

  test('warns of a stream that is too busy for one owner, and of too many connections', () => {
    expect(planCapacity(demand).warnings).toEqual([]);
    expect(planCapacity({ ...demand, eventsPerDay: 864_000_000, streams: 2 }).warnings).toEqual([
      expect.stringContaining('25000 events a second'),
    ]);
    expect(planCapacity({ ...demand, agents: 30_000 }).warnings).toEqual([
      expect.stringContaining('MAX_CONNECTIONS'),
    ]);
  });
});
