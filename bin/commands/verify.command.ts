import { Command } from 'commander';
import { toHex } from '../../domain/bytes.ts';
import { noKeys, type PublicKeys } from '../../domain/verify/verify.ts';
import { CountProgress } from '../count-progress.ts';
import { describeFiles } from '../verify/describe-report.ts';
import { NodeCryptography } from '../verify/node-cryptography.ts';
import { readKeysFile } from '../verify/read-file.ts';
import { type FilesReport, UnusableFile, verifyFiles } from '../verify/verify-files.ts';
import { exitCodes } from './exit-codes.ts';

const help = `
A FILE is one of these; which one is found out by looking:
  an export of "npx --no sequencer export"
  a proof bundle, from GET /api/v1/ves/proofs/:sequence_number/bundle
  events with their receipts, from GET /api/v1/ves/events or /api/v1/ves/events/:event_id
  the answer to an ingest; with the request beside it as another FILE, its receipts are checked against the events
  a commitment, as its creation answers it
--keys takes what GET /api/v1/sequencer/keys and GET /api/v1/agents/:agent_id/keys answer. Keys that are given go before
those that a file brings. The formats and rules are described in docs/verify.md.

Exit code: 0 all holds, 1 something does not, 2 a file can't be used or a key is missing.

Examples:
  npx --no sequencer verify bundle.json --keys sequencer-keys.json
  npx --no sequencer verify request.json answer.json --keys sequencer-keys.json --keys agent-keys.json
  npx --no sequencer verify mine.jsonl --against theirs.jsonl --json`;

interface VerifyCliOptions {
  readonly keys: readonly string[];
  readonly against: readonly string[];
  readonly requireSignatures?: true;
  readonly json?: true;
}

/** `sequencer verify FILE…`: checks receipts, proofs and whole streams, without asking anyone. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('check receipts, proofs, commitments and exported streams offline')
    .argument('<file...>', 'what to check')
    .option('--keys <file>', 'public keys to check signatures with; may be given several times', append, [])
    .option('--against <file>', 'look for commitments there that contradict those of the files', append, [])
    .option('--require-signatures', 'let what nobody signed fail')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', help)
    .action(async (files: string[], options: VerifyCliOptions) => {
      process.exitCode = await runVerify(files, options);
    });
}

async function runVerify(files: readonly string[], options: VerifyCliOptions): Promise<number> {
  const cryptography = new NodeCryptography();
  const progress = new CountProgress('bytes');
  try {
    const keys = await readAllKeys(options.keys);
    const report = await verifyFiles(files, options.against, {
      keys,
      cryptography,
      requireSignatures: options.requireSignatures === true,
      onLine: (done, total) => progress.show(done, total),
    }).finally(() => progress.stop());
    const { disagreements } = cryptography;
    console.log(
      options.json === true
        ? JSON.stringify({ ...asJson(report), disagreements }, null, 2)
        : describeFiles(report, disagreements),
    );
    return exitCodeOf(report);
  } catch (error) {
    if (!(error instanceof UnusableFile)) throw error;
    if (options.json === true) console.log(JSON.stringify({ unusable: error.message }));
    else console.error(error.message);
    return exitCodes.unusable;
  }
}

async function readAllKeys(files: readonly string[]): Promise<PublicKeys> {
  let all = noKeys;
  for (const file of files) {
    try {
      const { sequencerId, sequencerKeys, agentKeys } = await readKeysFile(file);
      all = {
        sequencerId: sequencerId ?? all.sequencerId,
        sequencerKeys: [...all.sequencerKeys, ...sequencerKeys],
        agentKeys: [...all.agentKeys, ...agentKeys],
      };
    } catch (cause) {
      throw new UnusableFile(file, cause);
    }
  }
  return all;
}

function exitCodeOf({ files, equivocations }: FilesReport): number {
  if (equivocations.length > 0 || files.some(({ report }) => !report.holds)) return exitCodes.failed;
  return files.some(({ report }) => report.lacksKeys) ? exitCodes.unusable : exitCodes.ok;
}

function asJson({ files, equivocations }: FilesReport): object {
  return {
    holds: equivocations.length === 0 && files.every(({ report }) => report.holds),
    lacksKeys: files.some(({ report }) => report.lacksKeys),
    files: files.map(({ file, what, report }) => ({ file, what, ...report })),
    equivocations: equivocations.map(({ a, b, kind, isProven, detail }) => ({
      kind,
      isProven,
      detail,
      batches: [a, b].map(({ batchId, sequenceStart, sequenceEnd, root, stateRoot }) => ({
        batchId,
        sequenceStart,
        sequenceEnd,
        root: toHex(root),
        stateRoot: toHex(stateRoot),
      })),
    })),
  };
}

function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
