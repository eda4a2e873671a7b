import { InvalidArgumentError } from 'commander';

/** Reads the value of a command line option that is an integer from 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be an integer from 1.');
  return value;
}
