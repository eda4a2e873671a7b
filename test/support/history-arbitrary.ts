import fc from 'fast-check';
import type { AnsweredEvent, HistoryRecord, ReadEvent, ReadRecord } from '../../domain/history/record.ts';

type Kind = 'append' | 'refused' | 'lost' | 'saved unseen' | 'resubmit' | 'head' | 'page';

const kinds: readonly Kind[] = [
  ...(['append', 'append', 'append', 'refused', 'lost', 'saved unseen', 'resubmit'] as const),
  ...(['head', 'head', 'page'] as const),
];

/**
 * Histories of a log that keeps its promises: processes call one after the other, each call takes effect at one
 * instant between its two ends, and a model applies the effects in that order.
 */
export const validHistory: fc.Arbitrary<HistoryRecord[]> = fc
  .array(
    fc.record({
      process: fc.integer({ min: 0, max: 2 }),
      kind: fc.constantFrom(...kinds),
      /** Idle time before the call, time until its effect, time from there to its end. */
      pauseUs: fc.integer({ min: 0, max: 30 }),
      beforeUs: fc.integer({ min: 0, max: 30 }),
      afterUs: fc.integer({ min: 0, max: 30 }),
      eventCount: fc.integer({ min: 1, max: 4 }),
      newOwner: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map(play);

interface Plan {
  readonly process: number;
  readonly kind: Kind;
  readonly pauseUs: number;
  readonly beforeUs: number;
  readonly afterUs: number;
  readonly eventCount: number;
  readonly newOwner: boolean;
}

interface Call extends Plan {
  readonly index: number;
  readonly invokedUs: number;
  readonly effectUs: number;
  readonly completedUs: number;
}

export const receiptOf = (id: string): string => `receipt of ${id}`;

function play(plans: readonly Plan[]): HistoryRecord[] {
  const model = new Model();
  const records = schedule(plans)
    .toSorted((a, b) => a.effectUs - b.effectUs || a.index - b.index)
    .map((call) => ({ call, record: model.apply(call) }))
    .toSorted((a, b) => a.call.index - b.call.index)
    .map(({ record }) => record);
  return [{ type: 'history', version: 1 }, ...records, ...model.finalReading()];
}

/** Gives every call its times; the calls of a process follow each other in the order of the plans. */
function schedule(plans: readonly Plan[]): Call[] {
  const freeAtUs = new Map<number, number>();
  return plans.map((plan, index) => {
    const invokedUs = (freeAtUs.get(plan.process) ?? 10) + plan.pauseUs;
    const effectUs = invokedUs + plan.beforeUs;
    const completedUs = effectUs + plan.afterUs;
    freeAtUs.set(plan.process, completedUs);
    return { ...plan, index, invokedUs, effectUs, completedUs };
  });
}

class Model {
  private readonly log: (ReadEvent & { epoch: number })[] = [];
  private epoch = 1;
  /** The ids of calls that got no answer, by process. */
  private readonly unsettled = new Map<number, string[]>();
  private lastCompletedUs = 0;

  apply(call: Call): HistoryRecord {
    const { invokedUs, completedUs } = call;
    this.lastCompletedUs = Math.max(this.lastCompletedUs, completedUs);
    if (call.newOwner) this.epoch += 1;
    const common = { process: `p${call.process}`, invokedUs, completedUs, stream: 't/s/legacy' };
    const ids = this.idsOf(call);
    if (call.kind === 'head') return { ...common, type: 'head', head: this.log.length };
    if (call.kind === 'page') return { ...common, ...this.page(1, call.eventCount * 3) };
    const sent = ids.map((id) => ({ id, payload: `bytes of ${id}` }));
    if (call.kind === 'refused') return { ...common, type: 'append', outcome: 'refused', events: sent };
    if (call.kind === 'lost' || call.kind === 'saved unseen') {
      if (call.kind === 'saved unseen') ids.forEach((id) => this.store(id));
      this.unsettled.set(call.process, ids);
      return { ...common, type: 'append', outcome: 'unknown', events: sent };
    }
    this.unsettled.delete(call.process);
    const events = ids.map((id, index) => this.answer(id, call.kind === 'append' && index === 2));
    return { ...common, type: 'append', outcome: 'acknowledged', events, head: this.log.length };
  }

  finalReading(): HistoryRecord[] {
    const pages: ReadRecord[] = [];
    const limit = 50;
    for (
      let from = 1;
      pages.at(-1)?.events.length !== 0 && (pages.at(-1)?.events.length ?? limit) === limit;
    ) {
      const invokedUs = this.lastCompletedUs + 1_000 + pages.length;
      const common = { process: 'final', invokedUs, completedUs: invokedUs, stream: 't/s/legacy' };
      pages.push({ ...common, ...this.page(from, limit), final: true });
      from += limit;
    }
    return pages;
  }

  private idsOf(call: Call): string[] {
    const again = this.unsettled.get(call.process);
    if (call.kind === 'resubmit' && again !== undefined) return again;
    return Array.from({ length: call.eventCount }, (_, index) => `e${call.index}-${index}`);
  }

  private answer(id: string, refuse: boolean): AnsweredEvent {
    const common = { id, payload: `bytes of ${id}` };
    if (refuse) return { ...common, result: 'refused' };
    const known = this.log.find((event) => event.id === id);
    const receipt = receiptOf(id);
    if (known !== undefined) return { ...common, result: 'stored', sequence: known.sequence, receipt };
    const { sequence, epoch } = this.store(id);
    return { ...common, result: 'accepted', sequence, epoch, receipt };
  }

  private store(id: string): ReadEvent & { epoch: number } {
    const event = { sequence: this.log.length + 1, id, payload: `bytes of ${id}`, epoch: this.epoch };
    this.log.push(event);
    return event;
  }

  private page(from: number, limit: number): Pick<ReadRecord, 'type' | 'from' | 'limit' | 'events'> {
    const events = this.log.slice(from - 1, from - 1 + limit).map((event) => ({ ...event }));
    return { type: 'read', from, limit, events };
  }
}
