import type { Definition } from './definition.ts';
import { definitions, type SettingName, type SettingValues } from './definitions.ts';

/** The effective settings by variable name, for people to read: of a secret only whether it is set. */
export function publicSettings(values: SettingValues): Readonly<Record<string, unknown>> {
  const entries = Object.entries(definitions) as [SettingName, Definition<unknown>][];
  return Object.fromEntries(
    entries.map(([name, { env, secret }]) => [env, secret ? presence(values[name]) : values[name]]),
  );
}

function presence(secret: unknown): string | null {
  return secret === null ? null : '(set, kept secret)';
}
