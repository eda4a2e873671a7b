import type { LoadProcess } from '../load/load-process.ts';
import type { ScratchPostgres } from '../target/postgres.ts';
import type { Target as Node } from '../target/target.ts';
import type { Findings, Mode } from './report.ts';

/** One thing that the report measures, apart from all others. */
export interface Part {
  /** As `--only` and the names of figures have it. */
  readonly name: string;
  readonly title: string;
  /** About how long a full run takes; the bar goes by it. */
  readonly seconds: number;
  measure(bench: Bench): Promise<Findings>;
}

/** What parts work with. All that a part opens is closed when it ends, however it ends. */
export interface Bench {
  readonly mode: Mode;
  readonly postgres: ScratchPostgres;
  /** One of three values, by how much time there is. */
  pick<Value>(full: Value, quick: Value, tiny: Value): Value;
  /** An empty database, dropped after the part. */
  newDatabase(): Promise<string>;
  /** A node of its own on that database, with settings beside those of the bench. */
  startNode(databaseUrl: string, env?: Readonly<Record<string, string>>): Promise<MeasuredNode>;
  openLoad(): LoadProcess;
  /** To be closed after the part, the last opened first. */
  release(close: () => unknown): void;
  /** Says what is being measured, in a few words. */
  say(step: string): void;
}

/** A node that was started here, on a database that is known. */
export interface MeasuredNode extends Node {
  readonly pid: number;
  readonly databaseUrl: string;
}
