import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parts } from '../../bench/performance/parts.ts';
import { readReport } from '../../bench/performance/read-report.ts';

const program = join(import.meta.dirname, '../../bench/performance-report.ts');
const run = promisify(execFile);

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sequencer-performance-report-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

test('the smallest report measures every part, and writes figures, a page and the drawings that it shows', async () => {
  const { stdout } = await run(process.execPath, [program, '--tiny', '--directory', directory]);
  const json = readdirSync(directory).find((name) => name.endsWith('.json'))!;
  const report = readReport(readFileSync(join(directory, json), 'utf8'));

  expect(report.sections.map(({ name, status, error }) => ({ name, status, error }))).toEqual(
    parts.map(({ name }) => ({ name, status: 'measured', error: null })),
  );
  const names = report.sections.flatMap(({ figures }) => figures.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(report.sections.flatMap(({ targets }) => targets.map(({ item }) => item)))).toEqual(
    new Set([1, 2, 3, 4, 5, 6, 7, 8]),
  );

  const page = readFileSync(join(directory, json.replace('.json', '.md')), 'utf8');
  const drawings = [...page.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path]) => path!);
  expect(drawings.length).toBeGreaterThan(parts.length / 2);
  expect(drawings.filter((path) => !existsSync(join(directory, path)))).toEqual([]);
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
  expect(stdout).toContain('Of the machine');
}, 240_000);
