import { MemoryEventLog } from '../../storage/memory/memory-event-log.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import { SimulatedProcess } from '../simulation/simulated-process.ts';
import { SimulatedEventLog, SimulatedStorage } from '../simulation/simulated-storage.ts';
import { describeEventLog, storesPerTenantMax } from './event-log.contract.ts';

describe('the log of the simulator', () => {
  const scheduler = new Scheduler(1);
  const storage = new SimulatedStorage(scheduler, new MemoryEventLog(storesPerTenantMax));
  const log = new SimulatedEventLog(
    storage,
    new SimulatedProcess(scheduler, 'node-1', { offsetUs: 0 }),
    'node-1',
  );
  let ended = false;
  let ticking: Promise<void>;

  /** Virtual time passes while the tests wait. */
  beforeAll(() => {
    const tick = async (): Promise<void> => {
      while (!ended) {
        await scheduler.runUntil(() => ended, 1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    ticking = tick();
  });

  afterAll(async () => {
    ended = true;
    await ticking;
  });

  describeEventLog(() => log);
});
