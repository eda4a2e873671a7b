import { fullFormats } from 'ajv-formats/dist/formats.js';
import { RE2JS } from 're2js';
import type { WorkBudget } from './work-budget.ts';

/** Formats that JSON Schema defines and that are checked; others only annotate. Those of ajv-formats, in linear time. */
export const formatNames = [
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'uri-template',
  'uuid',
  'json-pointer',
  'relative-json-pointer',
] as const;
type FormatName = (typeof formatNames)[number];

/** These use look-around, which RE2 lacks; but nothing valid is longer than this, and what is short can't take long. */
const backtracking: Readonly<Partial<Record<FormatName, number>>> = { hostname: 254, duration: 128 };

/** Their automata have few states, so a character takes little more than one look. */
const stepsPerCharacter = 4;

/** Checks of the formats, for ajv, which count their work. */
export function budgetedFormats(budget: WorkBudget): Record<FormatName, (text: string) => boolean> {
  const formats = formatNames.map((name) => [
    name,
    (text: string): boolean => {
      budget.spend(1 + text.length * stepsPerCharacter);
      return hasFormat(name, text);
    },
  ]);
  return Object.fromEntries(formats) as Record<FormatName, (text: string) => boolean>;
}

/** Compiled when they are first used: that takes longer than a schema. */
const checks = new Map<FormatName, (text: string) => boolean>();

function hasFormat(name: FormatName, text: string): boolean {
  let check = checks.get(name);
  if (check === undefined) {
    check = checkOf(name);
    checks.set(name, check);
  }
  return check(text);
}

function checkOf(name: FormatName): (text: string) => boolean {
  // A URI is a reference with a scheme. The expression of ajv-formats for it is not handed out.
  if (name === 'uri') return (text) => scheme.test(text) && hasFormat('uri-reference', text);
  const format = fullFormats[name];
  const lengthMax = backtracking[name];
  if (format instanceof RegExp) {
    if (lengthMax !== undefined) return (text) => text.length <= lengthMax && format.test(text);
    const flags = format.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0;
    const compiled = RE2JS.compile(RE2JS.translateRegExp(format.source), flags);
    return (text) => compiled.test(text);
  }
  // Dates and times: anchored expressions without nested repetition.
  return (format as { validate: (text: string) => boolean }).validate;
}

const scheme = /^[a-z][a-z0-9+.-]*:/i;
