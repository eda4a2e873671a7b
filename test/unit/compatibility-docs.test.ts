import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf, routes } from '../support/example-calls.ts';

const docs = readFileSync(join(import.meta.dirname, '../../docs/compatibility.md'), 'utf8');
/** How many rows the reference's table of endpoints has. */
const referenceRows = 44;

interface Row {
  readonly number: number | null;
  readonly routes: readonly string[];
  readonly state: string;
}

/** The rows of both tables of routes: those of the reference have numbers, ours have not. */
function documentedRows(): Row[] {
  const section = docs.slice(docs.indexOf('## Routes'), docs.indexOf('## Intended differences'));
  return [...section.matchAll(/^\|(?: *(\d+) *\|)? *((?:[A-Z]+ `|gRPC).*?) *\| *(.*?) *\|$/gm)].map(
    ([, number, cell = '', state = '']) => ({
      number: number === undefined ? null : Number(number),
      routes: [...cell.matchAll(/([A-Z]+) `(\S+)`/g)].map(([, method, path]) => `${method} ${path}`),
      state,
    }),
  );
}

test('every row of the reference is there, once', () => {
  const numbers = documentedRows().flatMap(({ number }) => number ?? []);
  expect(numbers).toEqual(Array.from({ length: referenceRows }, (_, index) => index + 1));
});

test('a route is called served when this node serves it, and each that it serves is on the page', () => {
  const served = documentedRows()
    .filter(({ number, state }) => number === null || state.startsWith('served'))
    .flatMap((row) => row.routes);
  expect(served.sort()).toEqual(routes.map(nameOf).sort());
});

test('every difference says what the reference does, what is done here, and why', () => {
  const section = docs.slice(docs.indexOf('## Intended differences'));
  const rows = [...section.matchAll(/^\|(.*)\|$/gm)].slice(2).map(([, row = '']) => row.split(/(?<!\\)\|/));
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.filter((row) => row.length !== 4 || row.some((cell) => cell.trim() === ''))).toEqual([]);
});
