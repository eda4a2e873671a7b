import { MemoryEventLog } from '../../storage/memory/memory-event-log.ts';
import { describeEventLog, storesPerTenantMax } from './event-log.contract.ts';

describe('the log in memory', () => {
  const log = new MemoryEventLog(storesPerTenantMax);
  describeEventLog(() => log);
});
