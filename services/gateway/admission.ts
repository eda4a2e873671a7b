import { BytesInFlightExceeded } from '../../domain/errors.ts';

/**
 * The bound on the bytes of all requests that a node holds, so that load makes it refuse rather than grow. What is
 * reserved before a body is read costs a refused client nothing and the node next to nothing.
 */
export class Admission {
  readonly bytesMax: number;
  private bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** What all reservations hold together. */
  get bytesInFlight(): number {
    return this.bytes;
  }

  /** A reservation of nothing yet; whoever opens it releases it. */
  open(): Reservation {
    let held = 0;
    let released = false;
    return {
      grow: (bytes) => {
        if (released) return;
        if (this.bytes + bytes > this.bytesMax) {
          throw new BytesInFlightExceeded('the node holds as many request bytes as it may', {
            bytesInFlight: this.bytes,
            bytesInFlightMax: this.bytesMax,
          });
        }
        this.bytes += bytes;
        held += bytes;
      },
      release: () => {
        released = true;
        this.bytes -= held;
        held = 0;
      },
    };
  }
}

export interface Reservation {
  /**
   * Reserves this many bytes more; does nothing once released.
   * @throws BytesInFlightExceeded when that would pass the bound; what was reserved before stays so
   */
  grow(bytes: number): void;
  /** Gives everything back; repeats do nothing. */
  release(): void;
}
