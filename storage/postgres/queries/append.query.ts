import type { Heads, World } from '../../../domain/types.ts';
import { type ElementType, ParameterArrays } from '../parameter-arrays.ts';
import { legacyColumns, writeLegacyEvent } from '../new-legacy-row.ts';
import { vesColumns, writeVesEvent } from '../new-ves-row.ts';
import type { SealedBatch } from '../../payloads/payload-vault.ts';

/**
 * One statement for the batches of many stores: the fence of each, and the events of those that passed it. Autocommit,
 * so that no owner can be paused inside its transaction. Returns the numbers of the stores whose batch was appended.
 *
 * - A fence row that another session holds is skipped, not waited for: neighbours must not wait, and nobody can
 *   deadlock. The caller finds the row unchanged and tries again. What is locked is locked in the order of numbers.
 * - `locked` waits for nothing, but it may see a row change under it; then Postgres checks its conditions again on the
 *   new version, and so it does in `fence`.
 * - Set-returning functions in the select list stream the events; in the from clause each would fill a temporary store
 *   first, which costs up to a fifth more.
 * - There is a text for each combination of worlds, since an insert of nothing costs a small append a tenth.
 */
function appendText(worlds: readonly World[]): string {
  const numbered = numberFrom(Object.keys(fenceColumns).length + 1);
  const inserts = worlds.map((world) => {
    const { table, columns } = eventTables[world];
    const names = Object.keys(columns);
    const arrays = Object.entries<ElementType>(columns).map(
      ([name, type]) => `unnest($${numbered()}::${sqlTypes[type]}[]) as ${name}`,
    );
    return `,
  appended_${world} as (
    insert into ${table} (sequenced_at, encryption_key_number, ${names.join(', ')})
    select sequenced_at, payload_key_number, ${names.join(', ')}
      from fence join (select ${arrays.join(', ')}) as e using (store_number))`;
  });
  return `
  with batches as (
    select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                         $7::timestamptz[], $8::bigint[])
        as b (store_number, epoch, legacy_head, ves_head, new_legacy_head, new_ves_head, sequenced_at,
              payload_key_number)),
  locked as (
    select s.store_number
      from streams s join batches b using (store_number)
     where s.epoch = b.epoch and s.legacy_head = b.legacy_head and s.ves_head = b.ves_head
     order by s.store_number for update of s skip locked),
  fence as (
    update streams s
       set legacy_head = b.new_legacy_head, ves_head = b.new_ves_head, last_sequenced_at = b.sequenced_at
      from locked join batches b using (store_number)
     where s.store_number = locked.store_number
    returning s.store_number, s.last_sequenced_at as sequenced_at, b.payload_key_number)${inserts.join('')}
  select store_number from fence`;
}

const fenceColumns = {
  store_number: 'int64',
  epoch: 'int64',
  legacy_head: 'int64',
  ves_head: 'int64',
  new_legacy_head: 'int64',
  new_ves_head: 'int64',
  sequenced_at: 'timestamp',
  // One for all payloads of a batch, which are of one tenant.
  payload_key_number: 'int64',
} as const satisfies Record<string, ElementType>;

const eventTables = {
  legacy: { table: 'legacy_events', columns: legacyColumns },
  ves: { table: 'ves_events', columns: vesColumns },
} as const;

const sqlTypes: Readonly<Record<ElementType, string>> = {
  bytea: 'bytea',
  int64: 'bigint',
  text: 'text',
  timestamp: 'timestamptz',
  uuid: 'uuid',
};

const worldsInOrder = ['legacy', 'ves'] as const satisfies World[];

/** The statement for each combination of worlds, by its name. */
const texts = new Map(
  [['legacy'] as const, ['ves'] as const, worldsInOrder].map((worlds) => [
    nameOf(worlds),
    appendText(worlds),
  ]),
);

export interface PlannedBatch extends SealedBatch {
  readonly newHeads: Heads;
}

/** A statement ready to be sent. */
export interface AppendStatement {
  readonly name: string;
  readonly text: string;
  readonly values: Buffer[];
}

/** Encodes into memory that is used again: what `encode` returned is valid until it is called again. */
export class AppendEncoder {
  private readonly fence = new ParameterArrays(fenceColumns);
  private readonly legacy = new ParameterArrays(legacyColumns);
  private readonly ves = new ParameterArrays(vesColumns);

  /** The statement that appends these batches; each store may have one among them, and each has at least one event. */
  encode(batches: readonly PlannedBatch[]): AppendStatement {
    for (const arrays of [this.fence, this.legacy, this.ves]) arrays.reset();
    for (const planned of batches) {
      this.addFence(planned);
      const { claim, legacy, ves } = planned.batch;
      for (const event of legacy) writeLegacyEvent(this.legacy.to, claim.storeNumber, event);
      for (const event of ves) writeVesEvent(this.ves.to, claim.storeNumber, event);
    }
    const worlds = worldsInOrder.filter((world) => batches.some(({ batch }) => batch[world].length > 0));
    const name = nameOf(worlds);
    const values = [...this.fence.finish(), ...worlds.flatMap((world) => this[world].finish())];
    return { name, text: texts.get(name)!, values };
  }

  private addFence({ batch, newHeads, payloadKeyNumber }: PlannedBatch): void {
    const { claim, expectedHeads, sequencedAt } = batch;
    const { to } = this.fence;
    to.store_number.next().int64(claim.storeNumber);
    to.epoch.next().int64(claim.epoch);
    to.legacy_head.next().int64(expectedHeads.legacy);
    to.ves_head.next().int64(expectedHeads.ves);
    to.new_legacy_head.next().int64(newHeads.legacy);
    to.new_ves_head.next().int64(newHeads.ves);
    to.sequenced_at.next().timestamp(sequencedAt);
    if (payloadKeyNumber === null) to.payload_key_number.nextNull();
    else to.payload_key_number.next().int64(payloadKeyNumber);
  }
}

function nameOf(worlds: readonly World[]): string {
  return ['append', ...worlds].join('_');
}

function numberFrom(first: number): () => number {
  let next = first;
  return () => next++;
}
