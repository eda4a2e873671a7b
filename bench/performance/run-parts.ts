import { openLoadProcess } from '../load/load-process.ts';
import { openScratchDatabase, type ScratchPostgres } from '../target/postgres.ts';
import { startTarget } from '../target/target.ts';
import type { Bench, MeasuredNode, Part } from './part.ts';
import type { Findings, Mode, Section } from './report.ts';

export interface RunOptions {
  readonly mode: Mode;
  readonly postgres: ScratchPostgres;
  readonly onStep: (part: Part, step: string) => void;
  readonly onDone: (part: Part, section: Section) => void;
}

/** A part that takes several times its time hangs, or the machine is no place to measure on. */
const patience = 4;
const patienceSecsMin = 120;

const nothing: Findings = { figures: [], targets: [], tables: [], charts: [], notes: [] };

/** Measures one part after the other. One that fails, or hangs, says so in its section, and the others go on. */
export async function runParts(parts: readonly Part[], options: RunOptions): Promise<Section[]> {
  const sections: Section[] = [];
  for (const part of parts) {
    const section = await runPart(part, options);
    options.onDone(part, section);
    sections.push(section);
  }
  return sections;
}

async function runPart(part: Part, options: RunOptions): Promise<Section> {
  const { name, title } = part;
  const { mode } = options;
  const startMs = performance.now();
  const measuredAt = new Date().toISOString();
  const releases: (() => unknown)[] = [];
  const bench = openBench(part, options, releases);
  const end = (status: Section['status'], error: string | null, findings: Findings): Section => {
    const seconds = (performance.now() - startMs) / 1_000;
    return { name, title, status, error, measuredAt, mode, seconds, ...findings };
  };
  try {
    const findings = await withinSecs(
      Math.max(part.seconds * patience, patienceSecsMin),
      part.measure(bench),
    );
    return end('measured', null, onlyFinite(findings));
  } catch (error) {
    return end('failed', (error as Error).message, nothing);
  } finally {
    // What can't be closed is no reason to lose what was measured; it ends with this process.
    for (const release of releases.reverse()) await Promise.resolve(release()).catch(() => undefined);
  }
}

function openBench(part: Part, options: RunOptions, releases: (() => unknown)[]): Bench {
  const { mode, postgres } = options;
  return {
    mode,
    postgres,
    pick: (full, quick, tiny) => ({ full, quick, tiny })[mode],
    newDatabase: async () => {
      const database = await openScratchDatabase(postgres.url);
      releases.push(() => database.drop());
      return database.url;
    },
    startNode: async (databaseUrl, env) => {
      const node = await startTarget(databaseUrl, env);
      releases.push(() => node.stop());
      return node as MeasuredNode;
    },
    openLoad: () => {
      const load = openLoadProcess();
      releases.push(() => load.close());
      return load;
    },
    release: (close) => releases.push(close),
    say: (step) => options.onStep(part, step),
  };
}

/** JSON has no word for a number that could not be had, such as a time that this system does not tell. */
function onlyFinite(findings: Findings): Findings {
  return {
    ...findings,
    figures: findings.figures.filter(({ value }) => Number.isFinite(value)),
    targets: findings.targets.map((target) =>
      Number.isFinite(target.measured)
        ? target
        : { ...target, measured: 0, met: false, note: 'it could not be measured on this machine' },
    ),
  };
}

async function withinSecs<Value>(seconds: number, work: Promise<Value>): Promise<Value> {
  let impatience: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const complain = (): void => reject(new Error(`it took longer than ${Math.round(seconds)} s`));
    impatience = setTimeout(complain, seconds * 1_000);
  });
  // What it says when everything it worked with is closed below it is of no interest.
  work.catch(() => undefined);
  return Promise.race([work, late]).finally(() => clearTimeout(impatience));
}
