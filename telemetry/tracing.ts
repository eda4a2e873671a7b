/** Values of a span's attributes; never a secret, and never what a client sent as an event. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** What a span may begin with. */
export interface SpanStart {
  /** `server`: the answering side of a request; `client`: the asking side. */
  readonly kind?: 'server' | 'client';
  /** Of the span that it is part of, as W3C Trace Context writes it; without one it begins a trace. */
  readonly parent?: string | undefined;
  readonly attributes?: SpanAttributes;
}

/** Something that takes time, between its start and its end. */
export interface Span {
  /** Names the span to those who do a part of it, here or on another node. */
  readonly traceparent: string;
  /** A better name, once it is known. */
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** @param failure says that what it covers failed, and why; no secret */
  end(failure?: string): void;
}

/** What is over already when it is told. */
export interface PastSpan extends SpanStart {
  /** How long ago it began, and how long it took. */
  readonly startedMsAgo: number;
  readonly durationMs: number;
  /** Of other spans that it did a part of. */
  readonly links?: readonly string[];
}

/** Where spans go; made by openTracing when an endpoint is set, and otherwise absent, so that nothing is made. */
export interface Tracing {
  start(name: string, start?: SpanStart): Span;
  /** @returns its `traceparent` */
  record(name: string, span: PastSpan): string;
  /** Sends what is still to be sent, for at most some seconds. */
  close(): Promise<void>;
}
