import { storeKeyText } from './types.ts';
import type { StoreKey } from './types.ts';

/**
 * Which of the members owns a store: rendezvous hashing (Thaler and Ravishankar, 1998). Every member is scored
 * against the key and the highest score wins, so nodes with the same view agree without talking, and a join or
 * leave of one of n members moves only the 1/n of the stores that it wins or loses.
 *
 * @param members names of the live nodes, in any order, without repeats
 * @returns the owner's name, or null when there are no members
 */
export function ownerOf(members: readonly string[], store: StoreKey): string | null {
  const keyHash = hashText(storeKeyText(store));
  let owner: string | null = null;
  let highest = -1;
  for (const member of members) {
    const score = mix(hashText(member) ^ keyHash);
    // Equal scores are settled by name, or two nodes that list the members differently would disagree.
    if (score > highest || (score === highest && owner !== null && member < owner)) {
      owner = member;
      highest = score;
    }
  }
  return owner;
}

const { imul } = Math;

/** FNV-1a over the UTF-16 code units: small, stable across versions, and good enough once mixed. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(hash);
}

/** The finaliser of MurmurHash3: every input bit reaches every output bit. Returns an unsigned 32-bit number. */
function mix(hash: number): number {
  let mixed = hash;
  mixed = imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
