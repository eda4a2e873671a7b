import { short, times, whole } from '../report/number-text.ts';
import { textTable } from '../report/text-table.ts';
import type { Machine } from '../target/machine.ts';
import type { CommitmentFigures } from './commitments-in-memory.ts';
import type { DurableCommitmentFigures } from './commitments-in-postgres.ts';
import type { HashingFigures } from './hashing.ts';
import type { OperationFigures } from './measure.ts';
import type { ProofFigures } from './proof-generation.ts';
import type { VerificationFigures } from './proof-verification.ts';
import { publishedCommitments, publishedVerifications } from '../performance/published-figures.ts';
import { ingestCell, type IngestFigures, type SignedIngestFigures } from './signed-ingest.ts';
import type { StateRootFigures } from './state-root.ts';

/** Parts that were not asked for are absent. */
export interface CryptoReport {
  readonly machine: Machine;
  readonly postgres: string;
  readonly secondsPerCell: number;
  hashing?: readonly HashingFigures[];
  commitmentsInMemory?: readonly CommitmentFigures[];
  commitmentsInPostgres?: readonly DurableCommitmentFigures[];
  verification?: readonly VerificationFigures[];
  proofs?: readonly ProofFigures[];
  stateRoot?: StateRootFigures;
  ingest?: SignedIngestFigures;
}

/** The report as text. */
export function renderReport(report: CryptoReport): string {
  const { machine } = report;
  const sections = [
    [
      `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, at least ${report.secondsPerCell} s a cell`,
      `Node ${machine.node}, Postgres ${report.postgres}, commit ${machine.commit}`,
      '"Published" is what the reference says of itself; the hardware of that is not known.',
    ],
    report.hashing && hashingLines(report.hashing),
    report.commitmentsInMemory && inMemoryLines(report.commitmentsInMemory),
    report.commitmentsInPostgres && inPostgresLines(report.commitmentsInPostgres),
    report.verification && verificationLines(report.verification),
    report.proofs && proofLines(report.proofs),
    report.stateRoot && stateRootLines(report.stateRoot),
    report.ingest && ingestLines(report.ingest, machine.cores),
  ];
  return sections
    .filter((lines) => lines !== undefined)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

const ratioNames = ['published', 'ratio', 'ratio a core'];
const costNames = ['processor µs', 'P50 µs', 'P95 µs', 'P99 µs'];

function costs({ cpuMicros, p50Micros, p95Micros, p99Micros }: OperationFigures): string[] {
  return [cpuMicros, p50Micros, p95Micros, p99Micros].map(short);
}

function hashingLines(figures: readonly HashingFigures[]): string[] {
  const sizes = [...new Set(figures.map(({ messageBytes }) => messageBytes))];
  const names = [...new Set(figures.map(({ implementation }) => implementation))];
  const rows = names.map((name) => [
    name,
    ...sizes.map((size) => {
      const found = figures.find((one) => one.implementation === name && one.messageBytes === size);
      return found === undefined ? '–' : whole(found.nanos);
    }),
  ]);
  return [
    'SHA-256 on one thread, ns a hash',
    '',
    ...textTable([['', ...sizes.map((size) => `${whole(size)} bytes`)], ...rows]),
  ];
}

function inMemoryLines(figures: readonly CommitmentFigures[]): string[] {
  const rows = figures.map((figure) => [whole(figure.events), ...ratioOf(figure), ...costs(figure)]);
  return [
    'commitments in memory on one thread: tree over given leaves, and state root',
    '',
    ...textTable([['events', 'a second', ...ratioNames, ...costNames], ...rows]),
  ];
}

function inPostgresLines(figures: readonly DurableCommitmentFigures[]): string[] {
  const rows = figures.map((figure) => [
    whole(figure.events),
    String(figure.atATime),
    ...ratioOf(figure),
    ...costs(figure),
  ]);
  return [
    'commitments by the service: leaves read from Postgres, tree stored, root checked a second way, signed, durable',
    '',
    ...textTable([['events', 'at a time', 'a second', ...ratioNames, ...costNames], ...rows]),
  ];
}

function ratioOf(figures: CommitmentFigures): string[] {
  return againstPublished(figures, publishedCommitments[figures.events]);
}

/** By the clock, and by the processor: what one core does that has nothing else to do. */
function againstPublished(
  { perSecond, cpuMicros }: OperationFigures,
  published: number | undefined,
): string[] {
  if (published === undefined) return [whole(perSecond), '–', '–', '–'];
  const perCore = 1_000_000 / cpuMicros;
  return [whole(perSecond), whole(published), times(perSecond / published), times(perCore / published)];
}

function verificationLines(figures: readonly VerificationFigures[]): string[] {
  const rows = figures.map((figure) => [
    String(figure.depth),
    String(figure.threads),
    ...againstPublished(figure, figure.threads === 1 ? publishedVerifications[figure.depth] : undefined),
    ...costs(figure),
  ]);
  return [
    'verifications of an inclusion proof (published: on one thread)',
    '',
    ...textTable([['depth', 'threads', 'a second', ...ratioNames, ...costNames], ...rows]),
  ];
}

function proofLines(figures: readonly ProofFigures[]): string[] {
  const rows = figures.map((figure) => [
    whole(figure.events),
    String(figure.atATime),
    whole(figure.perSecond),
    ...costs(figure),
  ]);
  return [
    'proofs by the reader: nodes read from Postgres, nothing cached, checked against the root',
    '',
    ...textTable([['events committed', 'at a time', 'a second', ...costNames], ...rows]),
  ];
}

function stateRootLines(figures: StateRootFigures): string[] {
  const { entities, seconds, cpuSeconds, megabytesMax, megabytesBefore } = figures;
  return [
    `legacy state root over ${whole(entities)} entities in Postgres: ${seconds.toFixed(1)} s, of which the process ` +
      `computed ${cpuSeconds.toFixed(1)} s; it held at most ${whole(megabytesMax)} MB, ${whole(megabytesBefore)} MB ` +
      'before it began',
  ];
}

function ingestLines(figures: SignedIngestFigures, cores: number): string[] {
  const { signed, unsigned, boundPerCore } = figures;
  const { verification, signing } = figures.signatures;
  const { payload, batch, connections } = ingestCell;
  const row = (name: string, cell: IngestFigures): string[] => [
    name,
    whole(cell.eventsPerSecond),
    short(cell.nodeCpuMicros),
    short(cell.loadCpuMicros),
    ...[cell.p50Ms, cell.p95Ms, cell.p99Ms].map(short),
  ];
  const partsMicros = 1_000_000 / boundPerCore;
  return [
    `ingest over HTTP, ${batch} events a request on ${connections} connections, payload ${payload}, one stream, ` +
      'Postgres and load on the same cores',
    '',
    ...textTable([
      ['events', 'a second', 'node, processor µs', 'load, processor µs', 'P50 ms', 'P95 ms', 'P99 ms'],
      row('signed', signed),
      row('unsigned', unsigned),
    ]),
    '',
    `An event needs ${short(verification.cpuMicros)} µs to verify its signature, ${short(signing.cpuMicros)} µs to sign ` +
      `its receipt and ${short(unsigned.nodeCpuMicros)} µs for what an unsigned one needs, ${short(partsMicros)} µs ` +
      `together: at most ${whole(boundPerCore)} a second on one core. Measured were ` +
      `${times(signed.eventsPerSecond / boundPerCore)} that with ${cores} cores for node, Postgres and load; the node ` +
      `took ${times(signed.nodeCpuMicros / partsMicros)} the sum of the parts.`,
  ];
}
