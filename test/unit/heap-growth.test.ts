import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const heapGrowth = join(import.meta.dirname, '../../bin/heap-growth.ts');

/** Counts collections of the whole heap while buffers come and go as the bodies of requests do: 2.6 GB, 8 MB at a time. */
const program = `
import { PerformanceObserver } from 'node:perf_hooks';
const whole = 4;
let collections = 0;
const count = ({ detail }) => { if (detail.kind === whole) collections += 1; };
new PerformanceObserver((list) => list.getEntries().forEach(count)).observe({ entryTypes: ['gc'] });
const live = Array.from({ length: 300_000 }, (_, number) => ({ number }));
const held = [];
for (let made = 0; made < 20_000; made += 1) {
  held[made % 64] = Buffer.allocUnsafeSlow(131_072);
  if (made % 200 === 0) await new Promise(setImmediate);
}
await new Promise((resolve) => setTimeout(resolve, 50));
console.log(collections, live.length);
`;

test('buffers that come and go do not have the whole heap collected for every 64 MB of them', () => {
  const usual = collectionsOf(program);
  const ours = collectionsOf(
    `const { letHeapGrow } = await import(${JSON.stringify(heapGrowth)});\nletHeapGrow();\n${program}`,
  );
  expect(usual).toBeGreaterThan(10);
  expect(ours).toBeLessThan(usual / 3);
});

function collectionsOf(text: string): number {
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', text], {
    encoding: 'utf8',
  });
  return Number(printed.split(' ', 1)[0]);
}
