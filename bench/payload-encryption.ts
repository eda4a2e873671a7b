import { randomBytes, randomUUID } from 'node:crypto';
import type { Sequence, Uuid } from '../domain/types.ts';
import { drawDataKey } from '../storage/payloads/master-keys.ts';
import { DataKey, type PayloadPlace, sealOverheadBytes } from '../storage/payloads/sealed-payload.ts';
import { textTable } from './report/text-table.ts';
import { describeMachine } from './target/machine.ts';

/** What encrypting a payload costs: `npm run bench:payload-encryption`. */

const eventsARound = 20_000;
const rounds = 9;
const sizes = [150, 1_024, 16_384];

const place: PayloadPlace = {
  tenantId: randomUUID() as string as Uuid,
  storeId: randomUUID() as string as Uuid,
  world: 'legacy',
  sequence: 1 as Sequence,
  eventId: randomUUID() as string as Uuid,
};

const { cpu, cores, node, commit } = describeMachine();
console.log(`${cpu}, ${cores} cores, Node ${node}, commit ${commit}, median of ${rounds} rounds\n`);
const table = sizes.map((size) => {
  const payload = randomBytes(size);
  const key = new DataKey(1, drawDataKey());
  const sealed = key.seal(payload, place);
  const seal = medianMicros(() => key.seal(payload, place));
  const open = medianMicros(() => key.open(sealed, place));
  return [String(size), seal.toFixed(1), open.toFixed(1), String(sealOverheadBytes)];
});
console.log(textTable([['payload bytes', 'µs to seal', 'µs to open', 'bytes more'], ...table]).join('\n'));

/** Processor time of one call, which others on the machine disturb less than the clock; the median of the rounds. */
function medianMicros(call: () => unknown): number {
  const times = Array.from({ length: rounds }, () => {
    const began = process.cpuUsage();
    for (let event = 0; event < eventsARound; event++) call();
    const { user, system } = process.cpuUsage(began);
    return (user + system) / eventsARound;
  });
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? NaN;
}
