import type { IncomingMessage } from 'node:http';
import { definitions } from '../../config/definitions.ts';
import { clientAddressReader } from '../../services/gateway/client-address.ts';

const proxies = definitions.trustProxyAllowlist.defaultFor({ production: true, heapLimitBytes: 0 });
const read = clientAddressReader({ trustProxyHeaders: true, trustedProxies: proxies });

function request(peer: string | undefined, headers: Record<string, string> = {}): IncomingMessage {
  return { socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage;
}

test('headers name nobody unless they are trusted', () => {
  const readPeer = clientAddressReader({ trustProxyHeaders: false, trustedProxies: proxies });
  expect(readPeer(request('127.0.0.1', { 'x-forwarded-for': '192.0.2.1' }))).toBe('127.0.0.1');
});

test.each<[string, string | undefined, Record<string, string>, string]>([
  ['a peer without headers', '192.0.2.9', {}, '192.0.2.9'],
  ['IPv4 inside IPv6', '::ffff:192.0.2.9', {}, '192.0.2.9'],
  ['a zone', 'fe80::1%eth0', {}, 'fe80::1'],
  ['a peer that is gone', undefined, {}, 'unknown'],
  ['a stranger who calls himself another', '192.0.2.9', { 'x-forwarded-for': '10.0.0.1' }, '192.0.2.9'],
  ['a proxy that names the client', '127.0.0.1', { 'x-forwarded-for': '192.0.2.1' }, '192.0.2.1'],
  ['a proxy that names nobody', '10.0.0.1', {}, '10.0.0.1'],
  ['two proxies', '10.0.0.1', { 'x-forwarded-for': '192.0.2.1, 10.0.0.2' }, '192.0.2.1'],
  ['a list begun by the client', '10.0.0.1', { 'x-forwarded-for': '10.9.9.9, 192.0.2.1' }, '192.0.2.1'],
  ['a client inside', '10.0.0.1', { 'x-forwarded-for': '10.0.0.3, 10.0.0.2' }, '10.0.0.3'],
  ['an unreadable start', '10.0.0.1', { 'x-forwarded-for': 'me, 192.0.2.1' }, '192.0.2.1'],
  ['an unreadable client', '10.0.0.1', { 'x-forwarded-for': 'me' }, 'unknown'],
  ['an empty list', '10.0.0.1', { 'x-forwarded-for': '' }, 'unknown'],
  ['an odd spelling', '10.0.0.1', { 'x-forwarded-for': '0x7f.1' }, 'unknown'],
  ['a port', '10.0.0.1', { 'x-forwarded-for': '192.0.2.1:4711' }, '192.0.2.1'],
  ['brackets', '10.0.0.1', { 'x-forwarded-for': '[2001:db8::1]:4711' }, '2001:db8::1'],
  ['x-real-ip', '::1', { 'x-real-ip': '192.0.2.1' }, '192.0.2.1'],
  [
    'x-forwarded-for before x-real-ip',
    '::1',
    { 'x-forwarded-for': '192.0.2.1', 'x-real-ip': '192.0.2.2' },
    '192.0.2.1',
  ],
  ['forwarded', '::1', { forwarded: 'proto=https;for=192.0.2.1;by=10.0.0.1' }, '192.0.2.1'],
  ['forwarded in quotes', '::1', { forwarded: 'For="[2001:db8::1]:80", for=10.0.0.1' }, '2001:db8::1'],
  ['forwarded that hides the client', '::1', { forwarded: 'for=_hidden' }, 'unknown'],
  ['forwarded without a client', '::1', { forwarded: 'by=10.0.0.1' }, '::1'],
])('%s', (_case, peer, headers, address) => {
  expect(read(request(peer, headers))).toBe(address);
});

describe('the lists of addresses', () => {
  test.each(['10.0.0.0/33', '10.0.0', '0x7f000001', 'localhost', '::1/129', '10.0.0.1,', '10.0.0.1/'])(
    'take no %s',
    (given) => {
      expect(definitions.adminIpAllowlist.parse(given)).toBeUndefined();
      expect(definitions.trustProxyAllowlist.parse(given)).toBeUndefined();
    },
  );

  test.each(['10.0.0.1', '10.0.0.0/8', '::1', '2001:db8::/32', '192.0.2.1, ::1/128'])('take %s', (given) => {
    expect(definitions.adminIpAllowlist.parse(given)).toEqual(given.split(', '));
  });
});
