/** What a handler answers; the exchange adds the headers that every response has, compresses, and writes. */
export interface Reply {
  readonly status: number;
  /** Null for an empty body. */
  readonly contentType: string | null;
  readonly body: string | Uint8Array;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

export function jsonReply(value: unknown): Reply {
  return jsonTextReply(JSON.stringify(value));
}

/** For JSON that is written already: stored payloads go out as they came in, not parsed and written again. */
export function jsonTextReply(body: string | Uint8Array): Reply {
  return { status: 200, contentType: 'application/json', body };
}

export function textReply(status: number, sentence: string): Reply {
  return { status, contentType: 'text/plain; charset=utf-8', body: sentence };
}

export function emptyReply(status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, contentType: null, body: '', headers };
}

/** The same reply with another status, or with more headers. */
export function withStatus(
  reply: Reply,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { ...reply, status, headers: { ...reply.headers, ...headers } };
}
