import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { findPrometheusPrograms } from '../../bin/driver/prometheus-programs.ts';

export const rulesDirectory = join(import.meta.dirname, '../../docker/prometheus');

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One case of a file for `promtool test rules`. */
export interface RuleCase {
  readonly name: string;
  readonly promql_expr_test: readonly { readonly expr: string; readonly exp_samples: readonly unknown[] }[];
}

/** The rules of a file in docker/prometheus/. */
export function readRules(file: string): readonly Rule[] {
  const text = readFileSync(join(rulesDirectory, file), 'utf8');
  return (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);
}

/** Files with cases, and what is in them. */
export function readRuleCases(): readonly { readonly file: string; readonly cases: readonly RuleCase[] }[] {
  const directory = join(rulesDirectory, 'tests');
  return readdirSync(directory).map((name) => {
    const file = join(directory, name);
    return { file, cases: (parse(readFileSync(file, 'utf8')) as { tests: RuleCase[] }).tests };
  });
}

/**
 * Runs promtool to its end.
 * @throws Error with what it printed when it finds a fault
 */
export function promtool(...args: string[]): string {
  try {
    return execFileSync(findPrometheusPrograms().promtool, args, { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`promtool ${args.join(' ')}:\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** Words of PromQL that stand where a metric may stand. */
const words = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan', 'start', 'end']);
/** Of these a list of labels in parentheses follows. */
const labelLists = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;

/** The names of the series that an expression asks for, each once. */
export function metricsOf(expression: string): readonly string[] {
  const bare = expression
    .replaceAll(/#.*$/gm, ' ')
    .replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, ' ')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(labelLists, ' ');
  // A name that a parenthesis follows is a function; what begins with a digit is a number or a duration.
  const names = [...bare.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])/g)].map(([name]) => name);
  return [...new Set(names.filter((name) => !words.has(name.toLowerCase())))];
}
