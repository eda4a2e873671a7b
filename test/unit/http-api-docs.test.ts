import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gatewayRoutes, type HandlerDependencies } from '../../services/gateway/routes.ts';

const docs = readFileSync(join(import.meta.dirname, '../../docs/protocol/http-api.md'), 'utf8');

/** Only the lines of the table are looked at, and no handler is called, so none needs what it works with. */
const routes = gatewayRoutes({} as HandlerDependencies);

interface Row {
  readonly route: string;
  readonly who: string;
  readonly errors: string;
}

function documentedRoutes(): Row[] {
  const section = docs.slice(docs.indexOf('## 6. Routes'), docs.indexOf('## 7. Legacy stream'));
  const rows = section.matchAll(/^\| ([A-Z]+) +\| `(\S+)` +\| (.+?) +\| `(\w+)` +\|$/gm);
  return [...rows].map(([, method, path, who = '', errors = '']) => ({
    route: `${method} ${path}`,
    who,
    errors,
  }));
}

test('the page lists every route that is served, once, and no other', () => {
  const served = routes.map(({ method, path }) => `${method} ${path}`);
  expect(
    documentedRoutes()
      .map(({ route }) => route)
      .sort(),
  ).toEqual(served.sort());
});

test('the page says of every route how it words errors and whom it answers', () => {
  const facts = documentedRoutes().map(({ route, who, errors }) => [
    route,
    { access: who === 'everyone' ? 'public' : 'protected', who, errors },
  ]);
  const served = routes.map(({ method, path, access, errors, description: { who } }) => [
    `${method} ${path}`,
    { access, who, errors },
  ]);
  expect(Object.fromEntries(facts)).toEqual(Object.fromEntries(served));
});

test('every example is JSON', () => {
  const examples = [...docs.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
  expect(examples.length).toBeGreaterThan(20);
  for (const example of examples) expect(() => JSON.parse(example) as unknown).not.toThrow();
});
