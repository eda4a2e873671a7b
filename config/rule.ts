import type { SettingName, SettingValues } from './definitions.ts';

/** What must hold between settings. A rule is skipped while one of the settings it reads can't be read itself. */
export interface Rule {
  readonly reads: readonly SettingName[];
  /** The rule as the documentation states it. */
  readonly says: string;
  /** What breaks it, as a sentence with the way out, or null. */
  problem(values: SettingValues, production: boolean): string | null;
}
