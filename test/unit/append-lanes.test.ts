import type { Claim } from '../../storage/event-log.ts';
import type { SealedBatch } from '../../storage/payloads/payload-vault.ts';
import { AppendLanes, gatherBytesMax } from '../../storage/postgres/append-lanes.ts';
import { batchOf, headsOf, randomEvent, randomId } from '../support/event-log.ts';

const few = 100;
const many = gatherBytesMax;

/** Lanes that answer nothing, and which of them each append went to. */
function openLanes(): { append: (tenantId: string, storeNumber: number, payloadBytes: number) => number } {
  const taken: number[] = [];
  const lanes = new AppendLanes(
    [0, 1, 2].map((lane) => ({
      append: () => {
        taken.push(lane);
        return new Promise(() => undefined);
      },
      close: () => Promise.resolve(),
    })),
  );
  return {
    append: (tenantId, storeNumber, payloadBytes) => {
      const claim = { tenantId, storeId: randomId(), storeNumber, epoch: 1, heads: headsOf(0) };
      const events = [randomEvent({ payload: new Uint8Array(payloadBytes) })];
      const batch = batchOf(claim as unknown as Claim, 0, events);
      void lanes.append({ batch, payloadKeyNumber: null } satisfies SealedBatch);
      return taken.at(-1)!;
    },
  };
}

test('what little a tenant appends to several stores goes to one lane, to share a statement', () => {
  const { append } = openLanes();
  const tenant = randomId();
  const lanes = [1, 2, 3, 4].map((store) => append(tenant, store, few));
  expect(new Set(lanes).size).toBe(1);
});

test('much of one tenant goes to all lanes but one', () => {
  const { append } = openLanes();
  const tenant = randomId();
  const lanes = [1, 2, 3, 4].map((store) => append(tenant, store, many));
  expect(new Set(lanes).size).toBe(2);
});

test('another tenant finds a lane for itself beside one with much', () => {
  const { append } = openLanes();
  const busy = randomId();
  const taken = [1, 2, 3, 4].map((store) => append(busy, store, many));
  expect(taken).not.toContain(append(randomId(), 5, few));
});

test('a store keeps to its lane while it has anything on the way, however much is there', () => {
  const { append } = openLanes();
  const tenant = randomId();
  const first = append(tenant, 1, many);
  expect(append(tenant, 1, many)).toBe(first);
  expect(append(tenant, 2, many)).not.toBe(first);
  expect(append(tenant, 1, few)).toBe(first);
});
