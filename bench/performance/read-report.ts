import { Ajv } from 'ajv';
import type { PerformanceReport } from './report.ts';

const text = { type: 'string' } as const;
const number = { type: 'number' } as const;
const list = (items: object): object => ({ type: 'array', items });
const record = (properties: Readonly<Record<string, object>>): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const nullable = (type: 'string' | 'number'): object => ({ type, nullable: true });
const mode = { enum: ['full', 'quick', 'tiny'] } as const;

/** The form of a report, as JSON schema. Charts are for drawing only, so that no more than their kind is fixed. */
export const reportSchema = record({
  format: { const: 1 },
  mode,
  startedAt: text,
  seconds: number,
  machine: record({ cpu: text, cores: number, memoryGb: number, system: text, node: text, commit: text }),
  postgres: text,
  sections: list(
    record({
      name: text,
      title: text,
      status: { enum: ['measured', 'failed'] },
      error: nullable('string'),
      measuredAt: text,
      mode,
      seconds: number,
      figures: list(
        record({
          name: text,
          value: number,
          unit: text,
          better: { enum: ['higher', 'lower'] },
          published: nullable('number'),
        }),
      ),
      targets: list(
        record({
          item: { type: 'integer', minimum: 1 },
          what: text,
          limit: { enum: ['at least', 'at most'] },
          wanted: number,
          measured: number,
          unit: text,
          met: { type: 'boolean' },
          firm: { type: 'boolean' },
          note: nullable('string'),
        }),
      ),
      tables: list(record({ title: text, columns: list(text), rows: list(list(text)) })),
      charts: list({
        type: 'object',
        properties: { kind: { enum: ['bars', 'lines', 'flame'] }, name: text, title: text, says: text },
        required: ['kind', 'name', 'title', 'says'],
      }),
      notes: list(text),
    }),
  ),
});

const isReport = new Ajv({ allErrors: true }).compile<PerformanceReport>(reportSchema);

/** @throws Error that names every field of the text that does not fit */
export function readReport(json: string): PerformanceReport {
  const value: unknown = JSON.parse(json);
  if (isReport(value)) return value;
  const faults = (isReport.errors ?? []).map(
    ({ instancePath, message }) => `${instancePath || 'it'} ${message ?? ''}`,
  );
  throw new Error(`This is no performance report: ${faults.slice(0, 5).join('; ')}.`);
}
