/**
 * What a setting is: a name in the environment, a type, a default and a reason. The settings object, the error
 * messages and docs/configuration.md all come from these definitions.
 */
export interface Definition<T> {
  /** The variable's name; the property is the same name in camel case. */
  readonly env: string;
  /** A second name, read when the first is unset or empty. */
  readonly alias: string | null;
  /** The accepted values, to follow "takes": `an integer from 1 to 65535`. */
  readonly accepts: string;
  /** What the number counts; null for texts. */
  readonly unit: string | null;
  /** Secret values appear in no message and in no log. */
  readonly secret: boolean;
  /** What changes when the value does; ends without a full stop. */
  readonly why: string;
  /** The default as the documentation shows it. */
  readonly defaultText: string;
  defaultFor(facts: Facts): T;
  /** The value, or undefined when the text is not one of the accepted. The text is trimmed and not empty. */
  parse(text: string): T | undefined;
}

/** What defaults may depend on. */
export interface Facts {
  readonly production: boolean;
  /** The ceiling of the V8 heap of this process. */
  readonly heapLimitBytes: number;
}

/** A default, either plain or worked out from facts and then described in words. */
type Default<T extends SettingValue> = T | WorkedOut<T>;

interface WorkedOut<T extends SettingValue> {
  readonly from: (facts: Facts) => T;
  readonly text: string;
}

type SettingValue = string | number | boolean | null | readonly string[];

interface Common<T extends SettingValue> {
  readonly env: string;
  readonly default: Default<T>;
  readonly why: string;
}

export function integer(spec: Common<number> & Range): Definition<number> {
  return { ...base(spec), ...inRange(spec) };
}

/** An integer that may be unset, and then is null. */
export function optionalInteger(spec: Omit<Common<null>, 'default'> & Range): Definition<number | null> {
  return { ...base<number | null>({ ...spec, default: null }), ...inRange(spec) };
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly unit: string | null;
}

function inRange({ min, max, unit }: Range): Pick<Definition<number>, 'accepts' | 'unit' | 'parse'> {
  return {
    accepts: `an integer from ${min} to ${max}`,
    unit,
    parse(text) {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** A number from 0 to 1. */
export function ratio(spec: Common<number> & { readonly alias?: string }): Definition<number> {
  return {
    ...base(spec),
    alias: spec.alias ?? null,
    accepts: 'a number from 0 to 1',
    parse(text) {
      const value = /^\d(\.\d{1,9})?$/.test(text) ? Number(text) : NaN;
      return value <= 1 ? value : undefined;
    },
  };
}

export function boolean(spec: Common<boolean>): Definition<boolean> {
  return {
    ...base(spec),
    accepts: '1, true, on, yes, 0, false, off or no',
    parse(text) {
      if (/^(1|true|on|yes)$/i.test(text)) return true;
      return /^(0|false|off|no)$/i.test(text) ? false : undefined;
    },
  };
}

/** Free text; `pattern` is what `accepts` says, as a regular expression. */
export function text<D extends string | null>(
  spec: Common<D> & { readonly alias?: string; readonly accepts: string; readonly pattern: RegExp },
): Definition<string | D> {
  return {
    ...base<string | D>(spec),
    alias: spec.alias ?? null,
    accepts: spec.accepts,
    parse: (given) => (spec.pattern.test(given) ? given : undefined),
  };
}

/** Text that no message may show, such as a key or an address that carries a password. */
export function secret(
  spec: Common<string | null> & { readonly accepts: string; readonly pattern: RegExp },
): Definition<string | null> {
  return { ...text(spec), secret: true };
}

/** A value that no message may show, read by a function of its own; null when it is not set. */
export function secretValue<T extends object>(
  spec: Common<null> & {
    readonly accepts: string;
    readonly read: (text: string) => T | undefined;
  },
): Definition<T | null> {
  return { ...base(spec), accepts: spec.accepts, secret: true, parse: spec.read };
}

/** @param spec `spellings` are other texts for some of the values */
export function choice<const V extends string>(
  spec: Common<V> & { readonly values: readonly V[]; readonly spellings?: Readonly<Record<string, V>> },
): Definition<V> {
  const spellings = new Map(Object.entries(spec.spellings ?? {}));
  const others = [...spellings].map(([spelling, value]) => `${spelling} for ${value}`).join(', ');
  const values = spec.values.join(', ').replace(/, ([^,]+)$/, ' or $1');
  return {
    ...base(spec),
    accepts: others === '' ? values : `${values} (${others})`,
    parse: (given) => {
      const lower = given.toLowerCase();
      return spec.values.find((value) => value === lower) ?? spellings.get(lower);
    },
  };
}

/** One of some values, each of which has other spellings. */
export function spelled<const V extends string>(
  spec: Common<NoInfer<V>> & { readonly spellings: Readonly<Record<V, readonly string[]>> },
): Definition<V> {
  const spellings = Object.entries<readonly string[]>(spec.spellings) as [V, readonly string[]][];
  const described = spellings.map(([value, others]) => `${value} (or ${others.join(', ')})`);
  return {
    ...base(spec),
    accepts: described.join('; '),
    parse(given) {
      const text = given.toLowerCase();
      return spellings.find(([value, others]) => value === text || others.includes(text))?.[0];
    },
  };
}

/** A comma list; repeats count once. */
export function list<V extends string>(
  spec: Common<readonly V[]> & { readonly accepts: string; readonly isItem: (item: string) => item is V },
): Definition<readonly V[]> {
  const { defaultFor, ...rest } = base(spec);
  return {
    ...rest,
    accepts: spec.accepts,
    defaultFor: (facts) => Object.freeze([...defaultFor(facts)]),
    parse(given) {
      const items = given.split(',').map((item) => item.trim());
      return items.every(spec.isItem) ? Object.freeze([...new Set(items)]) : undefined;
    },
  };
}

function base<T extends SettingValue>(
  spec: Common<T>,
): Pick<Definition<T>, 'env' | 'alias' | 'unit' | 'secret' | 'why' | 'defaultText' | 'defaultFor'> {
  const given = spec.default;
  const common = { env: spec.env, alias: null, unit: null, secret: false, why: spec.why };
  if (isWorkedOut(given)) return { ...common, defaultText: given.text, defaultFor: given.from };
  return { ...common, defaultText: describe(given), defaultFor: () => given };
}

function isWorkedOut<T extends SettingValue>(given: Default<T>): given is WorkedOut<T> {
  return typeof given === 'object' && given !== null && 'from' in given;
}

function describe(value: SettingValue): string {
  const described = typeof value === 'object' ? (value ?? []).join(',') : String(value);
  return described === '' ? 'unset' : described;
}
