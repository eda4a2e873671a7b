import { _, Ajv, type ErrorObject, type Options } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Draft } from '../../domain/schema/keywords.ts';
import { schemaFault } from '../../domain/schema/node.ts';
import { type PlainSchema, readSchema } from '../../domain/schema/read-schema.ts';
import { canonicalValue } from './canonical-value.ts';
import { budgetedFormats } from './formats.ts';
import { LinearPattern, patternFault } from './linear-pattern.ts';
import { costKeyword, withCosts } from './schema-costs.ts';
import { TooMuchWork, WorkBudget } from './work-budget.ts';

/** Where a value breaks a schema, as a JSON pointer that is empty for the whole value, and how. */
export interface SchemaError {
  readonly path: string;
  readonly message: string;
}

/** A schema ready to judge values, one at a time. */
export interface CompiledSchema {
  /**
   * What is wrong with a value, none when it is valid.
   * @param bytes the value's length as JSON, by which its work is bounded
   */
  errorsOf(value: unknown, bytes: number): SchemaError[];
  /** How many steps the last value took. */
  readonly steps: number;
}

/** As many errors as one answer tells of a value. */
const errorsMax = 100;

export type ErrorsWanted = 'the first error' | 'all errors';

/**
 * Reads and compiles a schema.
 * @param value parsed JSON, of bounded size
 * @throws Refused with the JSON pointer of what can't be accepted
 */
export function compileSchema(value: unknown, wanted: ErrorsWanted = 'the first error'): CompiledSchema {
  const schema = readSchema(value);
  for (const { pattern, pointer } of schema.patterns) {
    const fault = patternFault(pattern);
    if (fault !== null) throw schemaFault(pointer, fault);
  }
  return compilePlain(schema, wanted);
}

function compilePlain({ draft, root }: PlainSchema, wanted: ErrorsWanted): CompiledSchema {
  const budget = new WorkBudget();
  // An instance for each, since an instance keeps what it compiled.
  const ajv = openAjv(draft, budget, wanted);
  // To keep account of what was looked at costs, and ajv has faults in it; so only where it is asked for.
  ajv.opts.unevaluated = JSON.stringify(root).includes('"unevaluated');
  const validate = ajv.compile(withCosts(root));
  return {
    errorsOf(given, bytes) {
      budget.open(bytes);
      try {
        if (validate(given)) return [];
        return toErrors(validate.errors ?? []);
      } catch (error) {
        // The stack is counted too: it ends where values and references nest deeply at once.
        if (error instanceof TooMuchWork || error instanceof RangeError) return [tooMuchWork];
        // A fault of the compiler's: what can't be checked is not valid, and nobody else has to suffer from it.
        const cause = error instanceof Error ? error.message : String(error);
        return [{ path: '', message: `can not be checked by this schema: ${cause}` }];
      } finally {
        validate.errors = null;
      }
    },
    get steps() {
      return budget.spent;
    },
  };
}

/** Told by itself, whatever else there may be. */
export const tooMuchWork: SchemaError = {
  path: '',
  message: 'takes more work to check by this schema than a payload of its size may',
};

const dialects = { 'draft-07': Ajv, '2019-09': Ajv2019, '2020-12': Ajv2020 } as const satisfies Record<
  Draft,
  unknown
>;

function openAjv(draft: Draft, budget: WorkBudget, wanted: ErrorsWanted): Ajv {
  const regExp = Object.assign((pattern: string) => new LinearPattern(pattern, budget), { code: '' });
  const options: Options = {
    allErrors: wanted === 'all errors',
    // Schemas are read and checked before they come here, unknown keywords left out.
    strict: false,
    meta: false,
    validateSchema: false,
    logger: false,
    // What an object inherits is none of its members: `constructor` may be required.
    ownProperties: true,
    // A schema that is referred to a thousand times must not be a thousand times as long.
    inlineRefs: false,
    code: { regExp, optimize: false },
    formats: budgetedFormats(budget),
  };
  const ajv = new dialects[draft](options);
  replaceComparisons(ajv, budget);
  ajv.addKeyword({
    keyword: costKeyword,
    schemaType: 'array',
    code(context) {
      const [weight, loops] = context.schema as [number, number];
      const ref = context.gen.scopeValue('func', { ref: budget });
      context.gen.code(_`${ref}.spendOn(${context.data}, ${weight}, ${loops})`);
    },
  });
  return ajv;
}

/**
 * Ajv compares each element of an array with each other, and each value with each of an enumeration; and its comparison
 * calls a member `valueOf` of the payload. Texts that are equal for equal values do without both.
 */
function replaceComparisons(ajv: Ajv, budget: WorkBudget): void {
  const textOf = (value: unknown): string => canonicalValue(value, budget);
  const unlimited = { spend: () => undefined };
  for (const keyword of ['enum', 'const', 'uniqueItems']) ajv.removeKeyword(keyword);
  ajv.addKeyword({
    keyword: 'enum',
    schemaType: 'array',
    compile: (values: unknown[]) => {
      const texts = new Set(values.map((value) => canonicalValue(value, unlimited)));
      return (value: unknown) => texts.has(textOf(value));
    },
    error: { message: 'must be one of the values that the schema lists' },
  });
  ajv.addKeyword({
    keyword: 'const',
    compile: (only: unknown) => {
      const text = canonicalValue(only, unlimited);
      return (value: unknown) => textOf(value) === text;
    },
    error: { message: 'must be the value that the schema prescribes' },
  });
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    compile: (unique: boolean) => (values: unknown[]) =>
      !unique || new Set(values.map(textOf)).size === values.length,
    error: { message: 'must not have two equal elements' },
  });
}

function toErrors(errors: readonly Partial<ErrorObject>[]): SchemaError[] {
  return errors.slice(0, errorsMax).map(({ instancePath = '', message = 'is not valid' }) => ({
    path: instancePath,
    message,
  }));
}
