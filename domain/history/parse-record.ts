import { UnusableHistory } from '../errors.ts';
import { type HistoryRecord, historyVersion } from './record.ts';

/**
 * Checks that a parsed line is a record of the format, and that the first one is the header. Fields that the format
 * does not name are ignored.
 *
 * @throws UnusableHistory naming the line and the field
 */
export function parseRecord(value: unknown, line: number): HistoryRecord {
  const fields = new Fields(value, line, '');
  const type = fields.oneOf('type', ['history', 'append', 'head', 'read', 'claim']);
  if (line === 1 && type !== 'history')
    fields.fail('the first line must be the header, {"type":"history",…}');
  if (type === 'history') {
    if (fields.integer('version', 1) !== historyVersion) {
      fields.fail(`"version" is not ${historyVersion}, the only version that this checker reads`);
    }
  } else {
    parseCall(fields);
    if (type === 'append') parseAppend(fields);
    else if (type === 'head') parseHead(fields);
    else if (type === 'claim') parseClaim(fields);
    else parseRead(fields);
  }
  return value as HistoryRecord; // Every field that the types name was checked above.
}

function parseCall(fields: Fields): void {
  fields.text('process');
  fields.text('stream');
  const invokedUs = fields.integer('invokedUs', 0);
  const completedUs = fields.integer('completedUs', 0);
  if (completedUs < invokedUs) fields.fail('"completedUs" lies before "invokedUs"');
}

function parseAppend(fields: Fields): void {
  const outcome = fields.oneOf('outcome', ['acknowledged', 'refused', 'unknown']);
  fields.optionalInteger('head', 0);
  for (const event of fields.list('events')) {
    event.text('id');
    event.text('payload');
    if (outcome !== 'acknowledged') continue;
    if (event.oneOf('result', ['accepted', 'stored', 'refused']) === 'refused') continue;
    event.integer('sequence', 1);
    event.optionalInteger('epoch', 0);
    event.optionalText('receipt');
  }
}

function parseHead(fields: Fields): void {
  fields.integer('head', 0);
  fields.optionalBoolean('final');
}

function parseClaim(fields: Fields): void {
  fields.integer('epoch', 1);
  fields.integer('head', 0);
}

function parseRead(fields: Fields): void {
  fields.integer('from', 1);
  fields.integer('limit', 1);
  fields.optionalBoolean('final');
  for (const event of fields.list('events')) {
    event.integer('sequence', 1);
    event.text('id');
    event.text('payload');
    event.optionalInteger('epoch', 0);
  }
}

/** The fields of one object of a line, read with the complaint that a wrong one deserves. */
class Fields {
  private readonly object: Readonly<Record<string, unknown>>;
  private readonly line: number;
  private readonly path: string;

  constructor(value: unknown, line: number, path: string) {
    this.line = line;
    this.path = path;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.fail('it is not an object');
    this.object = value as Record<string, unknown>;
  }

  fail(complaint: string): never {
    const where = this.path === '' ? '' : ` (in ${this.path})`;
    throw new UnusableHistory(`line ${this.line} is not a history record: ${complaint}${where}`, {
      line: this.line,
    });
  }

  text(name: string): string {
    const value = this.object[name];
    if (typeof value !== 'string' || value === '') this.fail(`"${name}" must be a text that is not empty`);
    return value;
  }

  integer(name: string, min: number): number {
    const value = this.object[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min) {
      this.fail(`"${name}" must be an integer of at least ${min}`);
    }
    return value;
  }

  oneOf<const Value extends string>(name: string, values: readonly Value[]): Value {
    const value = this.object[name];
    const known = values.find((candidate) => candidate === value);
    return known ?? this.fail(`"${name}" must be one of ${values.join(', ')}`);
  }

  list(name: string): Fields[] {
    const value = this.object[name];
    if (!Array.isArray(value)) this.fail(`"${name}" must be a list`);
    return value.map((item, index) => new Fields(item, this.line, `${name}[${index}]`));
  }

  optionalInteger(name: string, min: number): void {
    if (this.object[name] !== undefined) this.integer(name, min);
  }

  optionalText(name: string): void {
    if (this.object[name] !== undefined) this.text(name);
  }

  optionalBoolean(name: string): void {
    const value = this.object[name];
    if (value !== undefined && typeof value !== 'boolean') this.fail(`"${name}" must be true or false`);
  }
}
