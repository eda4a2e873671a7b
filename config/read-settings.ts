import { getHeapStatistics } from 'node:v8';

import { deadlines, longestAppendMs, type Deadlines } from './deadlines.ts';
import type { Definition, Facts } from './definition.ts';
import { definitions, type SettingName, type SettingValues } from './definitions.ts';
import { isProduction } from './environment.ts';
import { rules, warningsAbout } from './rules.ts';

/** Every setting, checked, and what follows from them. Frozen. */
export interface Settings extends SettingValues, Deadlines {
  readonly production: boolean;
  /** Sentences about values that are allowed and still unwise. */
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings can't be used; `problems` has one sentence for each mistake, all of them. */
export class BadSettings extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`these settings stop the start:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'BadSettings';
    this.problems = problems;
  }
}

/**
 * Reads every setting from the environment, which nothing else does; unset and empty mean the default.
 * @throws BadSettings with all mistakes at once
 */
export function readSettings(
  env: Environment = process.env,
  { heapLimitBytes }: Pick<Facts, 'heapLimitBytes'> = { heapLimitBytes: getHeapStatistics().heap_size_limit },
): Settings {
  const production = isProduction(textOf(env, definitions.sequencerEnv)?.text ?? '');
  const facts: Facts = { production, heapLimitBytes };
  const problems: string[] = [];
  const given = new Set<SettingName>();
  const unreadable = new Set<SettingName>();
  const read: Partial<Record<SettingName, unknown>> = {};

  for (const [name, definition] of settingEntries()) {
    const source = textOf(env, definition);
    const value = source === null ? undefined : definition.parse(source.text);
    if (source !== null) given.add(name);
    if (source !== null && value === undefined) {
      unreadable.add(name);
      problems.push(unreadableValue(definition, source));
    }
    read[name] = value ?? definition.defaultFor(facts);
  }

  // Every name was filled in above, each by its own definition.
  const values = fitDefaults(read as SettingValues, given);
  for (const rule of rules) {
    if (rule.reads.some((name) => unreadable.has(name))) continue;
    const problem = rule.problem(values, production);
    if (problem !== null) problems.push(problem);
  }
  if (problems.length > 0) throw new BadSettings(problems);

  return Object.freeze({
    ...values,
    ...deadlines(values),
    production,
    warnings: Object.freeze(warningsAbout(values, production)),
  });
}

/**
 * The keys for payloads alone, for commands that look at a database and need no other setting.
 * @throws BadSettings with all mistakes at once
 */
export function readMasterKeySettings(env: Environment = process.env): MasterKeyValues {
  const problems: string[] = [];
  const read: Partial<Record<SettingName, unknown>> = {};
  for (const name of masterKeyNames) {
    const definition = definitions[name];
    const source = textOf(env, definition);
    const value = source === null ? null : definition.parse(source.text);
    if (source !== null && value === undefined) problems.push(unreadableValue(definition, source));
    read[name] = value;
  }
  if (problems.length > 0) throw new BadSettings(problems);
  return read as MasterKeyValues; // Every name was read by its own definition.
}

const masterKeyNames = [
  'payloadEncryptionKeys',
  'payloadEncryptionKey',
  'payloadEncryptionKeysByTenant',
] as const;
type MasterKeyValues = Pick<SettingValues, (typeof masterKeyNames)[number]>;

/** A default never contradicts what was set: it gives way. Two set values that contradict are for the rules. */
function fitDefaults(values: SettingValues, given: ReadonlySet<SettingName>): SettingValues {
  const { requestTimeoutSecs, maxBodySizeBytes } = values;
  const fit = (name: SettingName & keyof Numbers, toward: (value: number) => number): number =>
    given.has(name) ? values[name] : toward(values[name]);
  return {
    ...values,
    dbStatementTimeoutMs: fit('dbStatementTimeoutMs', (value) => Math.min(value, requestTimeoutSecs * 1_000)),
    appendTimeoutMs: fit('appendTimeoutMs', (value) => Math.min(value, longestAppendMs(requestTimeoutSecs))),
    maxBytesInFlight: fit('maxBytesInFlight', (value) => Math.max(value, maxBodySizeBytes)),
    mailboxBytesMax: fit('mailboxBytesMax', (value) => Math.max(value, maxBodySizeBytes)),
    nodeBytesInFlightMax: fit('nodeBytesInFlightMax', (value) => Math.max(value, maxBodySizeBytes)),
    nodePartialBytesMax: fit('nodePartialBytesMax', (value) => Math.max(value, 2 * maxBodySizeBytes)),
    cacheVesCommitmentMax: fit('cacheVesCommitmentMax', () => values.cacheCommitmentMax),
    cacheVesCommitmentTtlSecs: fit('cacheVesCommitmentTtlSecs', () => values.cacheCommitmentTtlSecs),
    cacheVesProofMax: fit('cacheVesProofMax', () => values.cacheProofMax),
    cacheVesProofTtlSecs: fit('cacheVesProofTtlSecs', () => values.cacheProofTtlSecs),
  };
}

type Numbers = { [Name in SettingName as SettingValues[Name] extends number ? Name : never]: number };

interface Source {
  readonly env: string;
  readonly text: string;
}

/** What the environment says about a setting and under which of its names, or null when it says nothing. */
function textOf(
  env: Environment,
  { env: name, alias }: Pick<Definition<unknown>, 'env' | 'alias'>,
): Source | null {
  for (const candidate of alias === null ? [name] : [name, alias]) {
    const text = env[candidate]?.trim() ?? '';
    if (text !== '') return { env: candidate, text };
  }
  return null;
}

function unreadableValue({ secret, accepts }: Definition<unknown>, { env, text }: Source): string {
  return secret
    ? `${env} has a value that can't be used (kept secret); it takes ${accepts}`
    : `${env} is ${JSON.stringify(text)}; it takes ${accepts}`;
}

function settingEntries(): [SettingName, Definition<unknown>][] {
  return Object.entries(definitions) as [SettingName, Definition<unknown>][];
}
