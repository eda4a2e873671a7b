const nonProduction = ['', 'local', 'dev', 'development', 'test', 'testing', 'ci', 'staging'];

/** Whether an environment of this name is production: every name is, but for the few that say otherwise. */
export function isProduction(name: string): boolean {
  return !nonProduction.includes(name.trim().toLowerCase());
}
