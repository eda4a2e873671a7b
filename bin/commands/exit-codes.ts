/** What every command of the CLI ends with. */
export const exitCodes = {
  ok: 0,
  /** The command ran, and what it looked at is not as it should be. */
  failed: 1,
  /** The command could not do its work: wrong arguments, input that can't be used. */
  unusable: 2,
} as const;
