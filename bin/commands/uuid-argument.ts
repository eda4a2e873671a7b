import { InvalidArgumentError } from 'commander';
import type { Uuid } from '../../domain/types.ts';
import { parseUuid } from '../../domain/uuid.ts';

/** Reads a UUID from the command line. @throws InvalidArgumentError, which commander turns into a sentence */
export function readUuid(text: string): Uuid {
  const parsed = parseUuid(text);
  if (parsed === null) throw new InvalidArgumentError('It must be a UUID.');
  return parsed;
}
