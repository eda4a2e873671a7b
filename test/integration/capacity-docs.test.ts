import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measuredFigures } from '../../bin/capacity/measured.ts';
import { runCli } from '../support/run-cli.ts';

const docs = await readFile(join(import.meta.dirname, '../../docs/capacity.md'), 'utf8');
const examples = [...docs.matchAll(/```\nnpx --no sequencer (capacity .*)\n```\n\n```text\n([^`]*)```/g)].map(
  ([, command, output]) => ({ command: command!, output: output! }),
);

describe('docs/capacity.md', () => {
  test('has examples', () => expect(examples.length).toBeGreaterThanOrEqual(3));

  test.each(examples)('shows what "$command" prints', async ({ command, output }) => {
    const { code, stdout } = await runCli(command.split(' '), {});
    expect(code).toBe(0);
    // The assumptions are the same each time, and stand in the page once.
    const [figures, assumptions] = stdout.split('\n\nThis assumes:\n');
    expect(`${figures}\n`).toBe(output);
    expect(docs).toContain(assumptions!.trim());
  });

  test('has every measured figure', () => {
    const { unsigned, signed, ...single } = measuredFigures;
    const rows = [
      ...[unsigned, signed].flatMap((world) => Object.values(world).flat()),
      ...Object.values(single),
    ];
    for (const { value } of rows) expect(docs).toContain(value.toLocaleString('en-US'));
  });
});

test.each([
  ['--events-per-day', 'lots', '--payload', '100'],
  ['--events-per-day', '100', '--payload', '-1'],
  ['--events-per-day', '100', '--payload', '100', '--signed-share', '2'],
])('capacity refuses %s %s %s %s', async (...args) => {
  const { code, stderr } = await runCli(['capacity', ...args], {});
  expect(code).toBe(2);
  expect(stderr).toMatch(/It must be a number from/);
});

test('capacity prints the plan and its figures as JSON', async () => {
  const { stdout } = await runCli(
    ['capacity', '--events-per-day', '86400', '--payload', '155', '--json'],
    {},
  );
  expect(JSON.parse(stdout)).toMatchObject({
    rate: { meanPerSecond: 1, peakPerSecond: 5 },
    storage: { bytesPerEvent: 557 + 212 },
    measuredFigures: { liveStoreBytes: { value: 1_661 } },
  });
});
