import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { writeU32, writeU64 } from '../../domain/bytes.ts';
import type { EventId, Sequence, StoreKey, World } from '../../domain/types.ts';
import { writeUuid } from '../../domain/uuid.ts';

/**
 * The form in which a payload lies in its row when it is encrypted (docs/adr/0007-payload-encryption.md):
 *
 * | bytes | what                                                                                    |
 * | ----- | --------------------------------------------------------------------------------------- |
 * | 1     | version of this form: 1                                                                 |
 * | 12    | session: drawn at random by a process for each data key                                 |
 * | 4     | counter within the session, big-endian                                                  |
 * | n     | the payload, encrypted by AES-256-GCM                                                   |
 * | 16    | its tag, over the ciphertext and over the place of the row                              |
 *
 * The key of a session is HKDF-SHA256 of the data key with the session as salt, and the nonce is the counter, so no pair
 * of key and nonce is used twice unless two sessions draw the same 96 bits.
 */

/** The place that a payload belongs to; anywhere else it can't be opened. */
export interface PayloadPlace extends StoreKey {
  readonly world: World;
  readonly sequence: Sequence;
  readonly eventId: EventId;
}

/** What a sealed payload has besides the payload. */
export const sealOverheadBytes = 1 + 12 + 4 + 16;

const version = 1;
const sessionBytes = 12;
const counterAt = 1 + sessionBytes;
const cipherAt = counterAt + 4;
const tagBytes = 16;
const counterMax = 0xffff_ffff;
const sessionInfo = 'STATESET_PAYLOAD_SESSION_V1';
const placeDomain = Buffer.from('STATESET_PAYLOAD_V1');
/** Sessions of others whose keys are kept: one for each process that wrote what is read. */
const sessionsKeptMax = 64;

/** A data key at work: 32 bytes under a number of its tenant. Dropping it drops every key that was made from it. */
export class DataKey {
  readonly keyNumber: number;
  private readonly key: KeyObject;
  private readonly opened = new LRUCache<string, KeyObject>({ max: sessionsKeptMax });
  private session: { readonly id: Buffer; readonly key: KeyObject; counter: number } | null = null;

  constructor(keyNumber: number, key: KeyObject) {
    this.keyNumber = keyNumber;
    this.key = key;
  }

  /** The payload as its row is to have it. */
  seal(payload: Uint8Array, place: PayloadPlace): Buffer {
    const { id, key, counter } = this.nextUse();
    const sealed = Buffer.allocUnsafe(payload.length + sealOverheadBytes);
    sealed[0] = version;
    id.copy(sealed, 1);
    writeU32(counter, sealed, counterAt);
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(counter));
    cipher.setAAD(placeBytes(place, this.keyNumber));
    cipher.update(payload).copy(sealed, cipherAt);
    cipher.final();
    cipher.getAuthTag().copy(sealed, cipherAt + payload.length);
    return sealed;
  }

  /** The payload that was sealed for this place; null when these bytes are not what was sealed for it. */
  open(sealed: Uint8Array, place: PayloadPlace): Buffer | null {
    if (sealed.length < sealOverheadBytes || sealed[0] !== version) return null;
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    const key = this.sessionKey(bytes.subarray(1, counterAt));
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(bytes.readUInt32BE(counterAt)), {
      authTagLength: tagBytes,
    });
    const tagAt = sealed.length - tagBytes;
    decipher.setAAD(placeBytes(place, this.keyNumber));
    decipher.setAuthTag(bytes.subarray(tagAt));
    const payload = decipher.update(bytes.subarray(cipherAt, tagAt));
    try {
      decipher.final();
    } catch {
      return null;
    }
    return payload;
  }

  private nextUse(): { readonly id: Buffer; readonly key: KeyObject; readonly counter: number } {
    if (this.session === null || this.session.counter > counterMax) {
      const id = randomBytes(sessionBytes);
      this.session = { id, key: this.derive(id), counter: 0 };
    }
    const { id, key } = this.session;
    return { id, key, counter: this.session.counter++ };
  }

  private sessionKey(id: Buffer): KeyObject {
    const text = id.toString('latin1');
    let key = this.opened.get(text);
    if (key === undefined) this.opened.set(text, (key = this.derive(id)));
    return key;
  }

  /** A key object rather than bytes: nobody prints it, and a cipher is made with it in a third of the time. */
  private derive(session: Buffer): KeyObject {
    return createSecretKey(new Uint8Array(hkdfSync('sha256', this.key, session, sessionInfo, 32)));
  }
}

function nonceOf(counter: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(counter, 8);
  return nonce;
}

const placeLength = placeDomain.length + 2 + 16 + 16 + 1 + 8 + 16;

/** What the tag covers besides: which tenant's key it is, and the row. */
function placeBytes(
  { tenantId, storeId, world, sequence, eventId }: PayloadPlace,
  keyNumber: number,
): Uint8Array {
  const bytes = Buffer.allocUnsafe(placeLength);
  let at = placeDomain.copy(bytes);
  at = bytes.writeUInt16BE(keyNumber, at);
  at = writeUuid(tenantId, bytes, at);
  at = writeUuid(storeId, bytes, at);
  at = bytes.writeUInt8(world === 'legacy' ? 0 : 1, at);
  at = writeU64(sequence, bytes, at);
  writeUuid(eventId, bytes, at);
  return bytes;
}
