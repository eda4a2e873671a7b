/** What the reference says of itself, on hardware that it does not name. */

/** Commitments a second, by the number of their events. */
export const publishedCommitments: Readonly<Record<number, number>> = {
  10: 2_500,
  50: 1_800,
  100: 1_200,
  500: 850,
  1_000: 550,
};

/** Verifications of inclusion proofs a second on one thread, by the depth of the tree. */
export const publishedVerifications: Readonly<Record<number, number>> = {
  10: 12_500,
  12: 11_200,
  14: 9_800,
  16: 8_500,
};
