import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { addressRanges, type IpAddress, parseAddress } from './address-ranges.ts';

export interface ProxySettings {
  /** Whether headers may name the client at all. */
  readonly trustProxyHeaders: boolean;
  /** IP addresses and CIDR ranges of the proxies whose headers are believed. */
  readonly trustedProxies: readonly string[];
}

/** The client's address in its usual spelling, or `unknown`, which is in no list of addresses. */
export type ClientAddressReader = (req: IncomingMessage) => string;

export const unknownAddress = 'unknown';

/**
 * Finds the address that a request comes from: the peer's, unless the peer is a trusted proxy that names another in
 * `x-forwarded-for`, else `x-real-ip`, else `forwarded`.
 *
 * Proxies append to a list that the client may have begun, so it is read from its end, past the trusted proxies, to the
 * first address that is none; what stands before that is hearsay. A trusted proxy that names something unreadable makes the
 * client unknown: taking the proxy for the client instead would give strangers the proxy's place in an allow list.
 */
export function clientAddressReader({
  trustProxyHeaders,
  trustedProxies,
}: ProxySettings): ClientAddressReader {
  const isTrusted = addressRanges(trustedProxies);
  return ({ socket, headers }) => {
    let client = parseAddress(withoutZone(socket.remoteAddress ?? ''));
    if (client === null) return unknownAddress; // The connection is gone.
    if (!trustProxyHeaders || !isTrusted(client)) return client.toString();
    for (const text of namedClients(headers).reverse()) {
      client = readNamed(text);
      if (client === null) return unknownAddress;
      if (!isTrusted(client)) break;
    }
    return client.toString();
  };
}

/** What the first of the headers that is there names, in its order; node:http joins repeats with commas. */
function namedClients(headers: IncomingHttpHeaders): string[] {
  const list = headers['x-forwarded-for'] ?? headers['x-real-ip'];
  if (list !== undefined) return String(list).split(',');
  return (headers.forwarded ?? '').split(',').flatMap((element) => {
    const client = /(?:^|;)\s*for\s*=\s*("[^"]*"|[^;\s]*)/i.exec(element)?.[1];
    return client === undefined ? [] : [client.replaceAll('"', '')];
  });
}

/** An address that may have a port after it, and then IPv6 stands in brackets. */
function readNamed(text: string): IpAddress | null {
  const named = text.trim();
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(named)?.[1];
  return parseAddress(withoutZone(bracketed ?? named.replace(/^([\d.]+):\d+$/, '$1')));
}

/** A zone (`fe80::1%eth0`) names an interface of this machine: it says nothing about the client. */
function withoutZone(text: string): string {
  const percent = text.indexOf('%');
  return percent === -1 ? text : text.slice(0, percent);
}
