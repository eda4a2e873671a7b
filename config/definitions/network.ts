import ipaddr from 'ipaddr.js';
import { boolean, list } from '../definition.ts';

/** Who reaches the node, and through what. */
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
