import { PayloadDamaged, PayloadUnreadable, Refused } from '../../domain/errors.ts';
import type { EventId, Sequence, StoreKey, World } from '../../domain/types.ts';
import type { AppendBatch } from '../event-log.ts';
import type { DataKeyState, PayloadKeys } from './payload-keys.ts';
import type { DataKey } from './sealed-payload.ts';

/** `optional` and `required` seal what is appended; `required` also refuses to read what is not sealed. */
export type PayloadEncryptionMode = 'disabled' | 'optional' | 'required';

export interface PayloadVaultOptions {
  readonly mode: PayloadEncryptionMode;
  readonly keys: Pick<PayloadKeys, 'find'>;
}

/** A batch as its rows are to have it, and the key that its payloads are sealed with; null when they are as received. */
export interface SealedBatch {
  readonly batch: AppendBatch;
  readonly payloadKeyNumber: number | null;
}

/** An event as its row has it: the payload is sealed when a key is named. */
export interface EventRow<Event> {
  readonly event: Event;
  readonly payloadKeyNumber: number | null;
}

/** What came of looking into a stored payload. */
export type OpenedPayload =
  | { readonly kind: 'payload'; readonly payload: Uint8Array }
  /** Destroyed with its key, as someone wanted it. */
  | { readonly kind: 'erased' }
  /** This process can't or may not read it; another one may. `reason` says what is missing. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** `reason` says what does not fit. */
  | { readonly kind: 'damaged'; readonly reason: string };

interface StoredEvent extends StoreKey {
  readonly sequence: Sequence;
  readonly eventId: EventId;
  readonly payload: Uint8Array | null;
}

/** Seals payloads on their way into the log and opens them on their way out. */
export class PayloadVault {
  /** Whether payloads are sealed at all. */
  readonly seals: boolean;
  private readonly options: PayloadVaultOptions;

  constructor(options: PayloadVaultOptions) {
    this.options = options;
    this.seals = options.mode !== 'disabled';
  }

  /**
   * @throws Refused when the tenant was erased
   * @throws LogUnavailable when its key must be looked up and can't be
   */
  async seal(batch: AppendBatch): Promise<SealedBatch> {
    const { tenantId, storeId } = batch.claim;
    const state = await this.options.keys.find({ tenantId, keyNumber: 'current' });
    if (state?.kind === 'erased') throw tenantErased(tenantId);
    if (state?.kind !== 'key') {
      throw new PayloadUnreadable(`no payload key of the tenant ${tenantId} can be used here`, { tenantId });
    }
    const { key } = state;
    const sealed = <New extends AppendBatch[World][number]>(world: World, events: readonly New[]): New[] =>
      events.map((one) => {
        const { event, sequence } = one;
        const place = { tenantId, storeId, world, sequence, eventId: event.eventId };
        return { ...one, event: { ...event, payload: key.seal(event.payload, place) } };
      });
    return {
      batch: { ...batch, legacy: sealed('legacy', batch.legacy), ves: sealed('ves', batch.ves) },
      payloadKeyNumber: key.keyNumber,
    };
  }

  /**
   * The events with their payloads as they were received; null where they are erased.
   * @throws PayloadUnreadable when this node can't or may not open one of them
   * @throws PayloadDamaged when one is not what was stored
   */
  async open<Event extends StoredEvent>(world: World, rows: readonly EventRow<Event>[]): Promise<Event[]> {
    if (this.options.mode !== 'required' && rows.every(isPlain)) return rows.map(({ event }) => event);
    const opened = await this.openEach(world, rows);
    return rows.map(({ event }, index) => {
      const result = opened[index]!;
      const { tenantId, storeId, sequence } = event;
      const where = { tenantId, storeId, world, sequence };
      switch (result.kind) {
        case 'payload':
          return { ...event, payload: result.payload };
        case 'erased':
          return { ...event, payload: null };
        case 'unreadable':
          throw new PayloadUnreadable(`event ${sequence}: ${result.reason}`, where);
        case 'damaged':
          throw new PayloadDamaged(`the payload of event ${sequence} is damaged: ${result.reason}`, where);
      }
    });
  }

  /** Looks into each payload by itself. @throws LogUnavailable when a key must be looked up and can't be */
  async openEach<Event extends StoredEvent>(
    world: World,
    rows: readonly EventRow<Event>[],
  ): Promise<OpenedPayload[]> {
    const states = await this.keysOf(rows);
    return rows.map(({ event, payloadKeyNumber }) => {
      const stored = event.payload ?? new Uint8Array();
      if (payloadKeyNumber === null) return this.plain(stored);
      const state = states.get(`${event.tenantId}/${payloadKeyNumber}`) ?? null;
      return openSealed(stored, { ...event, world }, state, payloadKeyNumber);
    });
  }

  private plain(payload: Uint8Array): OpenedPayload {
    return this.options.mode === 'required'
      ? {
          kind: 'unreadable',
          reason:
            'its payload is stored without encryption, which PAYLOAD_ENCRYPTION_MODE=required refuses to read; run "sequencer reencrypt", or start with optional',
        }
      : { kind: 'payload', payload };
  }

  /** The keys that the rows name, each looked for once. */
  private async keysOf(
    rows: readonly EventRow<StoredEvent>[],
  ): Promise<ReadonlyMap<string, DataKeyState | null>> {
    const states = new Map<string, DataKeyState | null>();
    for (const { event, payloadKeyNumber: keyNumber } of rows) {
      if (keyNumber === null) continue;
      const { tenantId } = event;
      const name = `${tenantId}/${keyNumber}`;
      if (!states.has(name)) states.set(name, await this.options.keys.find({ tenantId, keyNumber }));
    }
    return states;
  }
}

/** What a client is told whose tenant was erased. */
export function tenantErased(tenantId: string): Refused {
  return new Refused(
    'TENANT_ERASED',
    `the tenant ${tenantId} was erased; nothing can be appended to its stores any more`,
    { tenantId },
  );
}

function openSealed(
  stored: Uint8Array,
  place: Parameters<DataKey['open']>[1],
  state: DataKeyState | null,
  keyNumber: number,
): OpenedPayload {
  const { tenantId } = place;
  switch (state?.kind) {
    case 'key': {
      const payload = state.key.open(stored, place);
      return payload === null
        ? { kind: 'damaged', reason: `it is not what the payload key ${keyNumber} sealed for this event` }
        : { kind: 'payload', payload };
    }
    case 'erased':
      return { kind: 'erased' };
    case 'locked':
      return {
        kind: 'unreadable',
        reason: `its payload is encrypted, and the master key ${state.masterFingerprint.slice(0, 8)} of the tenant ${tenantId} is not configured here; add it to PAYLOAD_ENCRYPTION_KEYS or PAYLOAD_ENCRYPTION_KEYS_BY_TENANT`,
      };
    case 'damaged':
      return { kind: 'damaged', reason: `the payload key ${keyNumber} of its tenant is damaged` };
    default:
      return {
        kind: 'damaged',
        reason: `its tenant has no payload key ${keyNumber}, and no erasure is recorded`,
      };
  }
}

function isPlain({ payloadKeyNumber }: EventRow<unknown>): boolean {
  return payloadKeyNumber === null;
}
