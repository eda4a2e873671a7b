import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { parseAddress } from './address-ranges.ts';

export interface RegistrationLimiterOptions {
  readonly requestsPerMinuteMax: number;
  /** Addresses that are counted; beyond it the one that has been quiet longest begins again. */
  readonly addressesMax: number;
}

export interface RegistrationTurn {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Until the address may try as often as the limit says again; at least 1. */
  readonly resetSecs: number;
}

const windowSecs = 60;

/** Counts the registrations that each client address tries, in windows of a minute that begin with its first. */
export class RegistrationLimiter {
  private readonly limiter: RateLimiterMemory;
  private readonly limit: number;
  /** The limiter itself knows no bound. */
  private readonly addresses: LRUCache<string, true>;

  constructor({ requestsPerMinuteMax, addressesMax }: RegistrationLimiterOptions) {
    this.limit = requestsPerMinuteMax;
    this.limiter = new RateLimiterMemory({ points: requestsPerMinuteMax, duration: windowSecs });
    this.addresses = new LRUCache({
      max: addressesMax,
      dispose: (_value, address, reason) => {
        if (reason !== 'set') void this.limiter.delete(address);
      },
    });
  }

  async take(clientAddress: string): Promise<RegistrationTurn> {
    const address = networkOf(clientAddress);
    this.addresses.set(address, true);
    // The library rejects with the count when there is nothing left, and this store fails in no other way.
    const { count, allowed } = await this.limiter.consume(address).then(
      (count) => ({ count, allowed: true }),
      (count: RateLimiterRes) => ({ count, allowed: false }),
    );
    return {
      allowed,
      limit: this.limit,
      remaining: count.remainingPoints,
      resetSecs: Math.max(1, Math.ceil(count.msBeforeNext / 1_000)),
    };
  }
}

/** A subscriber of IPv6 has at least a /64 of addresses, so these count as one. */
function networkOf(text: string): string {
  const address = parseAddress(text);
  return address?.kind() === 'ipv6' ? address.toByteArray().slice(0, 8).join('.') : text;
}
