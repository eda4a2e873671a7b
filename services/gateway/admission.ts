import { BytesInFlightExceeded } from '../../domain/errors.ts';

/** A tenant may hold so many times what would stay free: 4 leaves a fifth of the whole for others. */
const shareOfFree = 4;

/**
 * The bound on the bytes of all requests that a node holds, so that load makes it refuse rather than grow. What is
 * reserved before a body is read costs a refused client nothing and the node next to nothing.
 *
 * A tenant that holds something gets more only up to four times what is free after that. Alone it gets four fifths of the
 * whole; the more the others hold, the less, so nobody finds the node filled by a single tenant. Who holds nothing may
 * have one request of any size that fits.
 */
export class Admission {
  readonly bytesMax: number;
  private bytes = 0;
  private readonly bytesByTenant = new Map<string, number>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** What all reservations hold together. */
  get bytesInFlight(): number {
    return this.bytes;
  }

  /** A reservation of nothing yet, for nobody in particular; whoever opens it releases it. */
  open(): Reservation {
    let key = '';
    let held = 0;
    let released = false;
    return {
      chargeTo: (tenantId) => (key = tenantId),
      grow: (bytes) => {
        if (released) return;
        const ofTenant = this.bytesByTenant.get(key) ?? 0;
        const free = this.bytesMax - this.bytes - bytes;
        if (free < 0) throw this.exceeded('the node holds as many request bytes as it may');
        // Nothing but this very request is held: it may be as large as the node takes any.
        if (ofTenant > held && ofTenant + bytes > shareOfFree * free) {
          throw this.exceeded('the node holds as many request bytes of this tenant as it may');
        }
        this.bytes += bytes;
        this.bytesByTenant.set(key, ofTenant + bytes);
        held += bytes;
      },
      release: () => {
        released = true;
        if (held === 0) return;
        this.bytes -= held;
        const left = (this.bytesByTenant.get(key) ?? 0) - held;
        if (left > 0) this.bytesByTenant.set(key, left);
        else this.bytesByTenant.delete(key);
        held = 0;
      },
    };
  }

  private exceeded(sentence: string): BytesInFlightExceeded {
    return new BytesInFlightExceeded(sentence, {
      bytesInFlight: this.bytes,
      bytesInFlightMax: this.bytesMax,
    });
  }
}

export interface Reservation {
  /** Says whose request it is; before it grows. */
  chargeTo(tenantId: string): void;
  /**
   * Reserves this many bytes more; does nothing once released.
   * @throws BytesInFlightExceeded when that would pass the bound; what was reserved before stays so
   */
  grow(bytes: number): void;
  /** Gives everything back; repeats do nothing. */
  release(): void;
}
