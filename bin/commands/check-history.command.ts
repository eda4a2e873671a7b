import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { HistoryChecker, type HistoryReport } from '../../domain/history/check-history.ts';
import { parseRecord } from '../../domain/history/parse-record.ts';
import { type HistoryRule, historyRules } from '../../domain/history/rules.ts';
import { SequencerError, UnusableHistory } from '../../domain/errors.ts';
import type { PublicKeys } from '../../domain/verify/verify.ts';
import { historyReceiptVerifier } from '../verify/history-receipts.ts';
import { readKeysFile } from '../verify/read-file.ts';
import { exitCodes } from './exit-codes.ts';

const help = `
What is checked, and the format of FILE, is described in docs/history-format.md. With --keys, the answer of
GET /api/v1/sequencer/keys, every receipt in it must verify; without, receipts are only compared with each other.

Exit code: 0 the history holds, 1 it contradicts itself, 2 it can't be judged.

Examples:
  npx --no sequencer check-history run.jsonl
  npx --no sequencer check-history run.jsonl --keys sequencer-keys.json
  npx --no sequencer check-history run.jsonl --json | jq .violations`;

/** `sequencer check-history FILE.jsonl`: did the log keep its promises in what these clients saw? */
export function checkHistoryCommand(): Command {
  return new Command('check-history')
    .description(
      'judge a recorded history: is every acknowledged event present once, in order, without gaps?',
    )
    .argument('<file>', 'the recorded calls and reads, one JSON object a line')
    .option('--keys <file>', "the sequencer's public keys, to verify every receipt with")
    .option('--json', 'print the report as JSON')
    .addHelpText('after', help)
    .action(async (file: string, options: { keys?: string; json?: true }) => {
      process.exitCode = await runCheckHistory(file, options.keys, options.json === true);
    });
}

async function runCheckHistory(file: string, keysFile: string | undefined, asJson: boolean): Promise<number> {
  try {
    const keys = keysFile === undefined ? undefined : await readKeys(keysFile);
    const report = await judgeHistoryFile(file, keys);
    console.log(asJson ? JSON.stringify(report, null, 2) : describeReport(file, report));
    return report.holds ? exitCodes.ok : exitCodes.failed;
  } catch (error) {
    const reason = describeUnusable(error);
    if (asJson) console.log(JSON.stringify({ unusable: reason }));
    else console.error(`${file}: ${reason}`);
    return exitCodes.unusable;
  }
}

async function readKeys(file: string): Promise<PublicKeys> {
  try {
    return await readKeysFile(file);
  } catch (cause) {
    if (!(cause instanceof SequencerError)) throw cause;
    throw new UnusableHistory(`the keys in ${file} can't be used: ${cause.message}`);
  }
}

/**
 * Judges a history file; the text is read line by line, only what the verdict needs is kept.
 *
 * @param keys those of the sequencer, with which every receipt must verify; without them receipts are only compared
 * @throws UnusableHistory when a line is malformed or a verdict is not possible
 */
export async function judgeHistoryFile(file: string, keys?: PublicKeys): Promise<HistoryReport> {
  const checker = new HistoryChecker(
    keys === undefined ? {} : { verifyReceipt: historyReceiptVerifier(keys) },
  );
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  let line = 0;
  for await (const text of lines) {
    line += 1;
    checker.add(parseRecord(parseLine(text, line), line));
  }
  return checker.finish();
}

function parseLine(text: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnusableHistory(`line ${line} is not JSON: ${(cause as Error).message}`, { line });
  }
}

function describeUnusable(error: unknown): string {
  if (error instanceof UnusableHistory) return error.message;
  if (error instanceof Error && 'code' in error) return `can't be read: ${error.message}`;
  throw error;
}

function describeReport(file: string, report: HistoryReport): string {
  const { counts } = report;
  const rules = Object.entries(historyRules) as [HistoryRule, string][];
  const width = Math.max(...rules.map(([, text]) => text.length));
  const lines = [
    `${file}`,
    `  ${number(counts.streams)} streams, ${number(counts.processes)} processes`,
    `  ${number(counts.appendsAcknowledged)} appends acknowledged (${number(counts.eventsAccepted)} events ` +
      `accepted), ${number(counts.appendsRefused)} refused, ${number(counts.appendsUnknown)} with unknown outcome`,
    `  of the events without an answer, ${number(counts.unknownPresent)} are present and ` +
      `${number(counts.unknownAbsent)} absent`,
    `  ${number(counts.reads)} reads (${number(counts.eventsRead)} events), ${number(counts.heads)} heads, ` +
      `${number(counts.claims)} claims`,
    '',
    ...rules.map(([rule, text]) => `  ${text.padEnd(width)}  ${number(report.checks[rule])} checks`),
    '',
    ...report.violations.map(
      ({ rule, stream, lines: where, message }) =>
        `${where.length > 1 ? 'lines' : 'line'} ${where.join(' and ')}: ${message} [${rule}] in ${stream}`,
    ),
  ];
  const unlisted = report.violationCount - report.violations.length;
  if (unlisted > 0) lines.push(`and ${number(unlisted)} more`);
  lines.push(
    report.holds ? 'The history holds.' : `The history is violated: ${report.violationCount} times.`,
  );
  return lines.join('\n');
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
