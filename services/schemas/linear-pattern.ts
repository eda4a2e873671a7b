import { RE2JS } from 're2js';
import { patternSize } from '../../domain/schema/pattern-size.ts';
import type { WorkBudget } from './work-budget.ts';

const patternLengthMax = 1_024;
const patternSizeMax = 2_048;
/** How many instructions of the automaton are gone through in the time of a step. */
const instructionsPerStep = 8;

/**
 * A regular expression that is matched in time linear in the text, as RE2 does it: without backtracking, and therefore without
 * back-references and look-around.
 */
export class LinearPattern {
  private readonly source: string;
  private readonly compiled: RE2JS;
  private readonly budget: WorkBudget;
  private readonly stepsPerCharacter: number;

  /** @throws RE2JSException for a pattern that `patternFault` does not accept */
  constructor(source: string, budget: WorkBudget) {
    this.source = source;
    this.budget = budget;
    this.compiled = compile(source);
    this.stepsPerCharacter = 1 + this.compiled.programSize() / instructionsPerStep;
  }

  /** @throws TooMuchWork */
  test(text: string): boolean {
    this.budget.spend(1 + text.length * this.stepsPerCharacter);
    return this.compiled.test(text);
  }

  /** The name by which ajv tells patterns apart. */
  toString(): string {
    return this.source;
  }
}

/** What is wrong with a pattern, to follow its name; null when it can be used. */
export function patternFault(pattern: string): string | null {
  if (pattern.length > patternLengthMax) return `is a pattern of more than ${patternLengthMax} characters`;
  if (patternSize(pattern) > patternSizeMax) {
    return `is a pattern that repeats too much: written out, it has more than ${patternSizeMax} parts`;
  }
  try {
    compile(pattern);
    return null;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return `is no pattern in the syntax of RE2, which has no back-references and no look-around: ${cause}`;
  }
}

function compile(pattern: string): RE2JS {
  return RE2JS.compile(RE2JS.translateRegExp(pattern));
}
