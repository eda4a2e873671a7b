import ipaddr from 'ipaddr.js';

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Tells whether an address lies in any of the ranges.
 * @param ranges IP addresses and CIDR ranges, checked when the settings were read
 */
export function addressRanges(ranges: readonly string[]): (address: IpAddress) => boolean {
  const parsed = ranges.map(parseRange);
  return (address) =>
    parsed.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
}

/** One address in any usual spelling; IPv4 inside IPv6 (`::ffff:192.0.2.1`) is IPv4. Null when it is none. */
export function parseAddress(text: string): IpAddress | null {
  // The package also takes 0x7f.1 and 10 for addresses; nobody who means well writes those.
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) return null;
  return ipaddr.process(text);
}

function parseRange(text: string): [IpAddress, number] {
  if (text.includes('/')) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}
