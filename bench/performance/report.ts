import type { Machine } from '../target/machine.ts';

/** What `npm run performance-report` writes as JSON; the page is drawn from it alone. */
export interface PerformanceReport {
  readonly format: 1;
  readonly mode: Mode;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly machine: Machine;
  readonly postgres: string;
  readonly sections: readonly Section[];
}

export type Mode = 'full' | 'quick' | 'tiny';

/** What one part found out, or why it could not. */
export interface Section extends Findings {
  readonly name: string;
  readonly title: string;
  readonly status: 'measured' | 'failed';
  readonly error: string | null;
  /** ISO 8601. A section kept from an earlier run says so here. */
  readonly measuredAt: string;
  readonly mode: Mode;
  readonly seconds: number;
}

export interface Findings {
  readonly figures: readonly Figure[];
  readonly targets: readonly Target[];
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
  /** Paragraphs: how it was measured, and what the reader should know of it. */
  readonly notes: readonly string[];
}

/** A number that is compared from one report to the next. */
export interface Figure {
  /** Dotted, and the same in every report: `ingest.nested-1k.500x10.events_per_second`. */
  readonly name: string;
  readonly value: number;
  /** `events/s`, `ms`, `µs`, `bytes`, `MB`, `%` … */
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** By the reference, where it says one. */
  readonly published: number | null;
}

/** Something to reach, and whether it was. */
export interface Target {
  /** The number of the target in the list of them. */
  readonly item: number;
  readonly what: string;
  readonly limit: 'at least' | 'at most';
  readonly wanted: number;
  readonly measured: number;
  readonly unit: string;
  readonly met: boolean;
  /** A stretch may be missed, with the reason. */
  readonly firm: boolean;
  readonly note: string | null;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export type Chart = BarChart | LineChart | FlameChart;

interface ChartHead {
  /** Also of its file, within the section: kebab-case. */
  readonly name: string;
  readonly title: string;
  readonly says: string;
}

/** Groups of bars that stand side by side, upright, from 0. */
export interface BarChart extends ChartHead {
  readonly kind: 'bars';
  readonly unit: string;
  /** Names of the bars within a group, which give them their colours. */
  readonly series: readonly string[];
  readonly groups: readonly {
    readonly name: string;
    readonly bars: readonly {
      readonly value: number;
      /** A line across the bar: what is to be reached, or what was published. */
      readonly mark: number | null;
    }[];
  }[];
  readonly markName: string | null;
  /** Lines across the whole chart. */
  readonly levels: readonly { readonly name: string; readonly value: number }[];
}

/** Lines over a logarithmic horizontal axis, from 0 to the most. */
export interface LineChart extends ChartHead {
  readonly kind: 'lines';
  readonly unitX: string;
  readonly unit: string;
  readonly lines: readonly {
    readonly name: string;
    readonly points: readonly (readonly [x: number, y: number])[];
  }[];
}

/** Where processor time went: a frame is as wide as the time in it and in what it called. */
export interface FlameChart extends ChartHead {
  readonly kind: 'flame';
  readonly root: FlameFrame;
}

export interface FlameFrame {
  readonly name: string;
  /** Where the function is from; gives the frame its colour. */
  readonly origin: 'project' | 'package' | 'runtime' | 'idle';
  readonly micros: number;
  readonly calls: readonly FlameFrame[];
}

/** A target, judged. */
export function judge(
  target: Omit<Target, 'met' | 'firm' | 'note'> & { firm?: boolean; note?: string },
): Target {
  const { limit, wanted, measured } = target;
  const met = limit === 'at least' ? measured >= wanted : measured <= wanted;
  return { firm: true, ...target, met, note: target.note ?? null };
}

/** @param published the same by the reference */
export function figure(
  name: string,
  value: number,
  unit: string,
  better: Figure['better'],
  published: number | null = null,
): Figure {
  return { name, value, unit, better, published };
}
