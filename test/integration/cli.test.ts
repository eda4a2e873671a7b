import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnsweredEvent, HistoryRecord } from '../../domain/history/record.ts';
import { receiptText, sequencerKeysAnswer } from '../support/evidence.ts';
import { accepted, answered, finalPage, header } from '../support/history-records.ts';

const clone = join(import.meta.dirname, '../..');
const cli = join(clone, 'bin/sequencer.ts');

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the file itself, so that its mode and first line are tested too. */
function sequencer(...args: string[]): Promise<Ending> {
  return new Promise((resolve) => {
    execFile(cli, args, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('sequencer', () => {
  test('says its version', async () => {
    const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'));
    expect(await sequencer('--version')).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  test('describes its commands, with examples', async () => {
    const { code, stdout } = await sequencer('--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/check-history/);
    expect(stdout).toMatch(/Examples:/);
  });

  test('suggests the command that was meant', async () => {
    const { code, stderr } = await sequencer('chek-history');
    expect(code).toBe(2);
    expect(stderr).toMatch(/Did you mean check-history\?/);
  });

  test('ends with 2 when an argument is missing', async () => {
    const { code, stderr } = await sequencer('check-history');
    expect(code).toBe(2);
    expect(stderr).toMatch(/missing required argument 'file'/);
  });
});

describe('sequencer check-history', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sequencer-cli-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const valid = [header, answered('a', [1, 5], [accepted('x', 1)]), finalPage(['x'])];
  const violated = [header, answered('a', [1, 5], [accepted('x', 1)]), finalPage([])];

  function fileOf(name: string, lines: readonly (HistoryRecord | string)[]): string {
    const file = join(folder, name);
    const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
    writeFileSync(file, `${text.join('\n')}\n`);
    return file;
  }

  test('says what it checked, and ends with 0 when the history holds', async () => {
    const { code, stdout } = await sequencer('check-history', fileOf('valid.jsonl', valid));
    expect(code).toBe(0);
    expect(stdout).toMatch(/1 appends acknowledged \(1 events accepted\)/);
    expect(stdout).toMatch(/an acknowledged event is present.* 1 checks/);
    expect(stdout).toMatch(/The history holds\./);
  });

  test('names the contradicting lines, and ends with 1 when it does not', async () => {
    const { code, stdout } = await sequencer('check-history', fileOf('violated.jsonl', violated));
    expect(code).toBe(1);
    expect(stdout).toMatch(/lines 2 and 3: event x was acknowledged at sequence 1/);
  });

  test('prints the report as JSON', async () => {
    const { code, stdout } = await sequencer('check-history', fileOf('json.jsonl', violated), '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      holds: false,
      violations: [{ rule: 'acknowledged-present', lines: [2, 3] }],
    });
  });

  describe('with --keys', () => {
    const receipt = receiptText(1);
    const id = (JSON.parse(receipt) as { eventId: string }).eventId;
    const signed = (text: string) => [
      header,
      answered('a', [1, 5], [{ ...accepted(id, 1), receipt: text } as AnsweredEvent]),
      finalPage([id]),
    ];
    const check = (lines: readonly HistoryRecord[], keys: object = sequencerKeysAnswer) => {
      writeFileSync(join(folder, 'keys.json'), JSON.stringify(keys));
      return sequencer('check-history', fileOf('signed.jsonl', lines), '--keys', join(folder, 'keys.json'));
    };

    test('holds when the sequencer signed every receipt', async () => {
      const { code, stdout } = await check(signed(receipt));
      expect(stdout).toMatch(/The history holds\./);
      expect(code).toBe(0);
    });

    test.each([
      [
        'a flipped bit in its hash',
        () =>
          signed(
            receipt.replace(
              /("receiptHash":"0*)(.)/,
              (_, a: string, b: string) => a + (b === '1' ? '2' : '1'),
            ),
          ),
      ],
      ['no signature', () => signed(receipt.replace(/("sequencerSignature":")[0-9a-f]+/, '$1'))],
      ['the receipt of another event', () => signed(receiptText(2))],
      ['a text that is none', () => signed('forged')],
    ])('finds a receipt with %s', async (_, lines) => {
      const { code, stdout } = await check(lines());
      expect(stdout).toMatch(/line 2: the receipt for event .* does not verify \[receipts-hold\]/);
      expect(code).toBe(1);
    });

    test('ends with 2 when the file has no keys', async () => {
      const { code, stderr } = await check(signed(receipt), { nothing: true });
      expect(stderr).toMatch(/the keys in .*keys\.json can't be used/);
      expect(code).toBe(2);
    });
  });

  test.each([
    ['a malformed line', [header, '{"type":"head"}'], /line 2 is not a history record: "process"/],
    ['a line that is not JSON', [header, '{'], /line 2 is not JSON/],
    ['no header', valid.slice(1), /line 1 .* must be the header/],
    ['no final reading', valid.slice(0, 2), /no final reading/],
  ])('ends with 2 for %s', async (name, lines, complaint) => {
    const { code, stderr } = await sequencer('check-history', fileOf(`${name}.jsonl`, lines));
    expect(stderr).toMatch(complaint);
    expect(code).toBe(2);
  });

  test('ends with 2 for a file that is not there, also as JSON', async () => {
    const missing = join(folder, 'missing.jsonl');
    expect(await sequencer('check-history', missing)).toMatchObject({ code: 2, stdout: '' });
    const { code, stdout } = await sequencer('check-history', missing, '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout).unusable).toMatch(/can't be read/);
  });
});
