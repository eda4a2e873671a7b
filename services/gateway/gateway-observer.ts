import type { AnsweredRequest } from '../../telemetry/metrics/http.ts';

/** Who asks, as far as a log may know. */
export interface ExchangeCaller {
  readonly tenantId: string;
  readonly provedBy: string;
}

/** One request and what it was answered; nothing in it is a secret. */
export interface AnsweredExchange extends AnsweredRequest {
  /** As the client got it in `x-request-id`. */
  readonly requestId: string;
  readonly caller: ExchangeCaller | null;
}

/** What the gateway tells those who count and log. Nothing of it may throw. */
export interface GatewayObserver {
  answered(exchange: AnsweredExchange): void;
  /** A request was turned away, since the database has more to do than it can. */
  shed(): void;
  /** A request met a rate limit. */
  limited(isAllowed: boolean): void;
}
