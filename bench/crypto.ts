import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { measureInMemory } from './crypto/commitments-in-memory.ts';
import { measureInPostgres } from './crypto/commitments-in-postgres.ts';
import { measureHashing } from './crypto/hashing.ts';
import type { Span } from './crypto/measure.ts';
import { measureProofs } from './crypto/proof-generation.ts';
import { measureVerification, type VerificationFigures } from './crypto/proof-verification.ts';
import { publishedCommitments, publishedVerifications } from './performance/published-figures.ts';
import { type CryptoReport, renderReport } from './crypto/report.ts';
import { measureSignedIngest } from './crypto/signed-ingest.ts';
import { measureStateRoot } from './crypto/state-root.ts';
import { positiveInteger } from './report/options.ts';
import { describeMachine } from './target/machine.ts';
import { openScratchPostgres, postgresVersion } from './target/postgres.ts';

interface BenchOptions {
  readonly quick?: true;
  readonly seconds?: number;
  readonly only?: readonly Part[];
  readonly json?: string;
}

type Part = Exclude<keyof CryptoReport, 'machine' | 'postgres' | 'secondsPerCell'>;

const parts: readonly Part[] = [
  'hashing',
  'commitmentsInMemory',
  'commitmentsInPostgres',
  'verification',
  'proofs',
  'stateRoot',
  'ingest',
];
const commitmentSizes = Object.keys(publishedCommitments).map(Number);
const proofDepths = Object.keys(publishedVerifications).map(Number);
const threadCounts = [1, 4, 8];
const proofSizes = [1_000, 100_000];
const atATime = [1, 8];
const messageSizes = [75, 1_024];

const program = new Command('bench:crypto')
  .description(
    'Measures hashing, commitments, proofs and signed ingest, beside the published figures of the reference. Starts a ' +
      'Postgres and a node of its own, and removes them.',
  )
  .option('--quick', 'half a second a cell and a tenth of the data, for a first look')
  .option('--seconds <seconds>', 'how long each cell is measured; 3 unless --quick', positiveInteger)
  .addOption(new Option('--only <parts...>', 'these parts').choices(parts))
  .option('--json <file>', 'also write the report as JSON')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench:crypto\n  npm run bench:crypto -- --quick --only verification proofs',
  );

await runBench(program.parse().opts<BenchOptions>());

async function runBench(options: BenchOptions): Promise<void> {
  const postgres = await openScratchPostgres();
  try {
    const report = await measure(options, postgres.url);
    console.log(`\n${renderReport(report)}`);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await postgres.stop();
  }
}

async function measure(options: BenchOptions, serverUrl: string): Promise<CryptoReport> {
  const quick = options.quick === true;
  const secondsPerCell = options.seconds ?? (quick ? 0.5 : 3);
  const span: Span = {
    warmUpMs: Math.min(secondsPerCell * 500, 1_000),
    measureMs: secondsPerCell * 1_000,
  };
  const report: CryptoReport = {
    machine: describeMachine(),
    postgres: await postgresVersion(serverUrl),
    secondsPerCell,
  };
  const measurements: Readonly<Record<Part, () => void | Promise<void>>> = {
    hashing: () => {
      report.hashing = measureHashing(messageSizes, span.measureMs);
    },
    commitmentsInMemory: () => {
      report.commitmentsInMemory = commitmentSizes.map((events) => measureInMemory(events, span));
    },
    commitmentsInPostgres: async () => {
      const eventsInAll = quick ? 40_000 : 400_000;
      const plan = { sizes: commitmentSizes, atATime, eventsInAll, span };
      report.commitmentsInPostgres = await measureInPostgres(serverUrl, plan);
    },
    verification: async () => {
      const figures: VerificationFigures[] = [];
      for (const threads of threadCounts) {
        for (const depth of proofDepths) figures.push(await measureVerification(depth, threads, span));
      }
      report.verification = figures;
    },
    proofs: async () => {
      report.proofs = await measureProofs(serverUrl, { sizes: proofSizes, atATime, span });
    },
    stateRoot: async () => {
      const plan = quick ? { entities: 100_000, runs: 1 } : { entities: 1_000_000, runs: 3 };
      report.stateRoot = await measureStateRoot(serverUrl, plan);
    },
    ingest: async () => {
      const plan = { span, cells: quick ? 1 : 3, cores: report.machine.cores };
      report.ingest = await measureSignedIngest(serverUrl, plan);
    },
  };
  for (const part of options.only ?? parts) {
    console.error(`measuring ${part}`);
    await measurements[part]();
  }
  return report;
}
