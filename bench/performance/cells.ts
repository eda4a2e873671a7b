import { randomUUID } from 'node:crypto';
import type { CellFigures, CellPlan } from '../load/cell.ts';
import type { LoadProcess } from '../load/load-process.ts';
import { cpuMicros, familyCpuMicros } from '../target/machine.ts';
import type { Bench, MeasuredNode } from './part.ts';

/** A cell, and what it cost the others on the machine. */
export interface CostedCell extends CellFigures {
  readonly cpu: CpuCost;
}

/** Microseconds of processor time an event; NaN where the system does not tell. */
export interface CpuCost {
  readonly node: number;
  readonly postgres: number;
  readonly load: number;
}

/** How long cells are measured. */
export interface CellSpan {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

type Asked = Pick<CellPlan, 'payload' | 'batch' | 'connections' | 'streams'> & Partial<CellPlan> & CellSpan;

/** Settings of the nodes that are measured, beside the defaults. */
export const nodeSettings = {
  // What it makes of events is no part of what the figures are compared with; one cell says what it costs.
  PROJECTIONS_ENABLED: 'off',
};

/** Runs one cell against a node, and reads the clocks of all processes before it and after it. */
export async function measureCell(
  { postgres }: Pick<Bench, 'postgres'>,
  node: MeasuredNode,
  load: LoadProcess,
  asked: Asked,
): Promise<CostedCell> {
  const clocks = readClocks(node.pid, postgres.pid);
  const { url, apiKey } = node;
  const figures = await load.run({ url, apiKey, tenantId: randomUUID(), signed: null, ...asked });
  return { ...figures, cpu: costSince(clocks, figures) };
}

export interface Clocks {
  readonly pids: readonly [node: number, postgres: number];
  readonly micros: readonly [node: number, postgres: number];
}

export function readClocks(nodePid: number, postgresPid: number): Clocks {
  const micros = [cpuMicros(nodePid) ?? Number.NaN, familyCpuMicros(postgresPid) ?? Number.NaN] as const;
  return { pids: [nodePid, postgresPid], micros };
}

export function costSince(
  { pids, micros: before }: Clocks,
  figures: { readonly eventsInAll: number; readonly loadCpuMicrosPerEvent: number },
): CpuCost {
  const { micros } = readClocks(...pids);
  const events = Math.max(figures.eventsInAll, 1);
  return {
    node: (micros[0] - before[0]) / events,
    postgres: (micros[1] - before[1]) / events,
    load: figures.loadCpuMicrosPerEvent,
  };
}
