import type { RateLimiter, RateVerdict } from '../limits/rate-limiter.ts';
import { parseAddress } from './address-ranges.ts';

export interface RegistrationLimiterOptions {
  /** Of windows of a minute. */
  readonly limiter: Pick<RateLimiter, 'take'>;
  readonly requestsPerMinuteMax: number;
}

/** Counts the registrations that each client address tries, on all nodes together where their limiter does. */
export class RegistrationLimiter {
  private readonly limiter: RegistrationLimiterOptions['limiter'];
  private readonly limit: number;

  constructor({ limiter, requestsPerMinuteMax }: RegistrationLimiterOptions) {
    this.limiter = limiter;
    this.limit = requestsPerMinuteMax;
  }

  take(clientAddress: string): RateVerdict | Promise<RateVerdict> {
    return this.limiter.take(`address:${networkOf(clientAddress)}`, this.limit);
  }
}

/** A subscriber of IPv6 has at least a /64 of addresses, so these count as one. */
function networkOf(text: string): string {
  const address = parseAddress(text);
  return address?.kind() === 'ipv6'
    ? `${address.toNormalizedString().split(':').slice(0, 4).join(':')}::`
    : text;
}
