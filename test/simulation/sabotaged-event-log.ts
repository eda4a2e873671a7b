import { MemoryEventLog } from '../../storage/memory/memory-event-log.ts';

/** A guard that a simulation runs without, to show that the simulator would notice. */
export type Sabotage = 'epoch-check' | 'expected-head-check' | 'duplicate-index' | 'request-id';

export const sabotages: readonly Sabotage[] = [
  'epoch-check',
  'expected-head-check',
  'duplicate-index',
  'request-id',
];

/** A log that appends without one of its checks. */
export class SabotagedEventLog extends MemoryEventLog {
  private readonly sabotage: Sabotage | null;

  constructor(sabotage: Sabotage | null) {
    super();
    this.sabotage = sabotage;
  }

  protected override isFenced(...given: Parameters<MemoryEventLog['isFenced']>): boolean {
    return this.sabotage !== 'epoch-check' && super.isFenced(...given);
  }

  protected override haveHeadsMoved(...given: Parameters<MemoryEventLog['haveHeadsMoved']>): boolean {
    return this.sabotage !== 'expected-head-check' && super.haveHeadsMoved(...given);
  }

  protected override repeatsAnId(...given: Parameters<MemoryEventLog['repeatsAnId']>): boolean {
    return this.sabotage !== 'duplicate-index' && super.repeatsAnId(...given);
  }
}
