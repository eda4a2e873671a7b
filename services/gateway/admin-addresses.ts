import { addressRanges, parseAddress } from './address-ranges.ts';

/**
 * Tells whether an address may reach what is for administrators. An empty list lets every address.
 * @param allowed IP addresses and CIDR ranges
 */
export function adminAddresses(allowed: readonly string[]): (address: string) => boolean {
  if (allowed.length === 0) return () => true;
  const isAllowed = addressRanges(allowed);
  return (text) => {
    const address = parseAddress(text);
    return address !== null && isAllowed(address);
  };
}
