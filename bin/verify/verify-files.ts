import { UnusableEvidence } from '../../domain/errors.ts';
import {
  type Equivocation,
  findEquivocation,
  type FoundEvent,
  KeyRing,
  noKeys,
  type PublicKeys,
  type Receipt,
  type SignedCommitment,
  verifyBundle,
  verifyCommitment,
  verifyEvents,
  verifyReceipts,
  type VerifyReport,
} from '../../domain/verify/verify.ts';
import { readEvidenceFile, type ReadFile, type ReadOptions } from './read-file.ts';

/** What came of one file. */
export interface FileReport {
  readonly file: string;
  /** What the file is, in words. */
  readonly what: string;
  readonly report: VerifyReport;
}

export interface FilesReport {
  readonly files: readonly FileReport[];
  readonly equivocations: readonly Equivocation[];
  /** Sequencer keys that the files brought themselves, by which their signatures were checked; empty when keys were given. */
  readonly ownKeys: PublicKeys['sequencerKeys'];
}

/** A file that can't be used, and why. */
export class UnusableFile extends Error {
  constructor(file: string, cause: unknown) {
    super(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'UnusableFile';
  }
}

/**
 * Checks files one by one. Receipts without their events find them in the other files.
 * @param against files whose commitments are held against those of the others
 * @throws UnusableFile
 */
export async function verifyFiles(
  files: readonly string[],
  against: readonly string[],
  options: ReadOptions,
): Promise<FilesReport> {
  const read = await readAll(files, options);
  const events = new Map<string, FoundEvent>();
  for (const { content } of read) {
    if (content.kind !== 'events') continue;
    for (const { event } of content.events) events.set(event.event.eventId, event);
  }
  const reports = read.map(({ file, content }) => ({ file, ...verifyContent(content, events, options) }));

  const others = await readAll(against, options);
  const ownKeys = [...read, ...others].flatMap(({ content }) => keysOf(content).sequencerKeys);
  const ring = new KeyRing(options.keys);
  for (const key of ownKeys) ring.addSequencerKey(key);
  const equivocations = findEquivocation(
    read.flatMap(({ content }) => commitmentsOf(content)),
    others.flatMap(({ file, content }) => {
      const commitments = commitmentsOf(content);
      if (commitments.length > 0) return commitments;
      throw new UnusableFile(file, new UnusableEvidence('it has no commitments to compare'));
    }),
    ring,
    options.cryptography,
  );
  return { files: reports, equivocations, ownKeys: ring.givenSequencer ? [] : ownKeys };
}

type UsableFile = Exclude<ReadFile, { readonly kind: 'keys' }>;

async function readAll(
  files: readonly string[],
  options: ReadOptions,
): Promise<{ readonly file: string; readonly content: UsableFile }[]> {
  const read: { file: string; content: UsableFile }[] = [];
  for (const file of files) {
    try {
      const content = await readEvidenceFile(file, options);
      if (content.kind === 'keys') throw new UnusableEvidence('it is a list of keys: give it with --keys');
      read.push({ file, content });
    } catch (cause) {
      throw new UnusableFile(file, cause);
    }
  }
  return read;
}

function verifyContent(
  content: UsableFile,
  events: ReadonlyMap<string, FoundEvent>,
  options: ReadOptions,
): { readonly what: string; readonly report: VerifyReport } {
  switch (content.kind) {
    case 'export': {
      const { world, from, head, tenantId, storeId } = content.header;
      const what = `export of events ${from}..${head} of the ${world} stream of ${tenantId}/${storeId}`;
      return { what, report: content.report };
    }
    case 'bundle': {
      const { proof, commitment } = content.bundle;
      const range = `${commitment.sequenceStart}..${commitment.sequenceEnd}`;
      const what = `proof that event ${proof.sequence} is under the commitment ${range}`;
      return { what, report: verifyBundle(content.bundle, options) };
    }
    case 'events': {
      const receiptCount = content.events.filter(({ receipt }) => receipt !== null).length;
      const what = `${counted(content.events.length, 'event')}, ${counted(receiptCount, 'receipt')}`;
      return { what, report: verifyEvents(content.events, content.keys, options) };
    }
    case 'receipts': {
      const what = counted(content.receipts.length, 'receipt');
      const eventOf = ({ eventId }: Receipt): FoundEvent | null => events.get(eventId) ?? null;
      return { what, report: verifyReceipts(content.receipts, eventOf, options) };
    }
    case 'commitment': {
      const { sequenceStart, sequenceEnd } = content.commitment;
      const what = `commitment ${sequenceStart}..${sequenceEnd}`;
      return { what, report: verifyCommitment(content.commitment, options) };
    }
  }
}

function commitmentsOf(content: UsableFile): readonly SignedCommitment[] {
  if (content.kind === 'export') return content.commitments;
  if (content.kind === 'bundle') return [content.bundle.commitment];
  return content.kind === 'commitment' ? [content.commitment] : [];
}

function keysOf(content: UsableFile): PublicKeys {
  if (content.kind === 'bundle') return content.bundle.keys;
  return content.kind === 'export' || content.kind === 'events' ? content.keys : noKeys;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
