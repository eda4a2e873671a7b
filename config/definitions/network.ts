import ipaddr from 'ipaddr.js';
import { boolean, integer, list } from '../definition.ts';

/** Who reaches the node, through what, and how much they may send before anyone knows who they are. */
export const networkDefinitions = {
  trustProxyHeaders: boolean({
    env: 'TRUST_PROXY_HEADERS',
    default: false,
    why: "takes the client's address from x-forwarded-for, x-real-ip or forwarded when the peer is in TRUST_PROXY_ALLOWLIST; turn it on only behind a proxy that overwrites or appends to the header",
  }),
  trustProxyAllowlist: addresses({
    env: 'TRUST_PROXY_ALLOWLIST',
    default: [
      '127.0.0.0/8',
      '::1/128',
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '169.254.0.0/16',
      'fc00::/7',
      'fe80::/10',
    ],
    why: 'the proxies that are believed; the default is every loopback, private and link-local address',
  }),
  adminIpAllowlist: addresses({
    env: 'ADMIN_IP_ALLOWLIST',
    default: [],
    why: 'who may reach the routes of administration, /metrics, /health/detailed and /admin: everyone else gets 403 before any credential is looked at. Unset, the address does not matter',
  }),
  maxConnections: integer({
    env: 'MAX_CONNECTIONS',
    default: 10_000,
    min: 10,
    max: 1_000_000,
    unit: 'connections',
    why: 'connections held at once; for the one after, that which has waited longest for a request is closed, and when all are busy it gets 503 and Retry-After. The process needs as many file descriptors and some more',
  }),
  maxRequestsPerConnection: integer({
    env: 'MAX_REQUESTS_PER_CONNECTION',
    default: 0,
    min: 0,
    max: 1_000_000_000,
    unit: 'requests',
    why: 'after so many the connection is closed, so that clients behind a load balancer spread over nodes that came later; 0 is no bound',
  }),
  maxHeaderSizeBytes: integer({
    env: 'MAX_HEADER_SIZE_BYTES',
    default: 16_384,
    min: 1_024,
    max: 1_048_576,
    unit: 'bytes',
    why: 'the request line and all headers together; more is answered with 431',
  }),
  maxHeaders: integer({
    env: 'MAX_HEADERS',
    default: 100,
    min: 10,
    max: 10_000,
    unit: 'headers',
    why: 'a request with more is answered with 431',
  }),
  maxUrlBytes: integer({
    env: 'MAX_URL_BYTES',
    default: 8_192,
    min: 512,
    max: 1_048_576,
    unit: 'bytes',
    why: 'a longer path with its query is answered with 414, as long as it fits into MAX_HEADER_SIZE_BYTES',
  }),
};

function addresses(spec: { env: string; default: readonly string[]; why: string }) {
  return list({
    ...spec,
    accepts: 'a comma list of IP addresses and CIDR ranges such as 192.0.2.7 or 2001:db8::/32',
    isItem: (item): item is string => isAddressOrRange(item),
  });
}

function isAddressOrRange(text: string): boolean {
  const { IPv4, IPv6 } = ipaddr;
  return text.includes('/')
    ? IPv4.isValidCIDRFourPartDecimal(text) || IPv6.isValidCIDR(text)
    : IPv4.isValidFourPartDecimal(text) || IPv6.isValid(text);
}
