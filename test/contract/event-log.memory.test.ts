import { MemoryEventLog } from '../../storage/memory/memory-event-log.ts';
import { describeEventLog } from './event-log.contract.ts';

describe('the log in memory', () => {
  const log = new MemoryEventLog();
  describeEventLog(() => log);
});
