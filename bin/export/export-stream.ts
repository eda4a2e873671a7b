import type { Sequence, StreamKey } from '../../domain/types.ts';
import { exportFormat, exportFormatVersion } from '../../domain/verify/read-export.ts';
import type { AgentKeyRef } from '../../domain/ves/agent-key.ts';
import { ExportFailed } from './export-failed.ts';
import type { ExportOutput, ExportProgress } from './export-file.ts';
import type { ExportedEventText, ExportSource } from './export-source.ts';

export interface ExportOptions {
  readonly source: ExportSource;
  readonly stream: StreamKey;
  readonly output: ExportOutput;
  /** The first sequence to write. */
  readonly from: Sequence;
  /** What is written already; null for a new export. */
  readonly resumed: ExportProgress | null;
  /** When the export began, as RFC 3339. */
  readonly exportedAt: string;
  /** Told how many of how many events are written. */
  readonly onEvents: (done: number, total: number) => void;
}

/** What was written, in all. */
export interface ExportResult {
  readonly events: number;
  readonly commitments: number;
  readonly head: number;
  /** Keys that are not in it, since they don't exist or the node does not tell them. */
  readonly agentKeysMissing: readonly AgentKeyRef[];
}

/**
 * Writes a stream up to the head that it has now: the header, the sequencer's keys, the commitments, then the events, each
 * agent's key before the first event that it signed, and a line that ends it. One that goes on keeps the head that its
 * header says, so that it becomes what it would have become at once.
 * @throws ExportFailed when something can't be read
 */
export async function exportStream(options: ExportOptions): Promise<ExportResult> {
  const { source, stream, output, resumed } = options;
  if (resumed !== null && !isSameStream(resumed.header, stream)) {
    throw new ExportFailed('the file that is to go on holds another stream');
  }
  const header = resumed?.header ?? (await writeHeader(options));
  const { from, head } = header;
  const stage = stages.indexOf(resumed?.lastLine ?? 'header');

  if (stage <= stages.indexOf('sequencer_key')) {
    // Once more when they were cut off among each other: repeating a key changes nothing.
    const keys = (await source.sequencer())?.keys ?? [];
    await output.write(
      keys.map(({ keyVersion, publicKey }) =>
        line('sequencer_key', { key_version: keyVersion, public_key: publicKey }),
      ),
    );
  }
  let commitments = resumed?.commitments ?? 0;
  if (stage <= stages.indexOf('commitment')) {
    commitments += await writeCommitments(options, (resumed?.lastCommitmentEnd ?? from - 1) + 1, head);
  }
  const written = resumed?.events ?? 0;
  const agentKeysMissing: AgentKeyRef[] = [];
  let events = written;
  if (resumed?.lastLine !== 'end') {
    const first = (resumed?.lastSequence ?? from - 1) + 1;
    events += await writeEvents(options, { first, head, from }, agentKeysMissing);
    await output.write([line('end', { events, commitments })]);
  }
  return { events, commitments, head, agentKeysMissing };
}

/** The kinds of lines in the order in which an export has them; events and their keys are mixed. */
const stages = ['header', 'sequencer_key', 'commitment', 'agent_key', 'event', 'end'];
const commitmentsAtOnce = 1_000;

async function writeHeader({
  source,
  stream,
  output,
  from,
  exportedAt,
}: ExportOptions): Promise<{ from: number; head: number }> {
  const head = Math.max(await source.head(), from - 1);
  const sequencer = await source.sequencer();
  const header = {
    format: exportFormat,
    format_version: exportFormatVersion,
    world: stream.world,
    tenant_id: stream.tenantId,
    store_id: stream.storeId,
    from,
    head,
    exported_at: exportedAt,
    ...(sequencer?.sequencerId != null && { sequencer_id: sequencer.sequencerId }),
  };
  await output.write([`${JSON.stringify(header)}\n`]);
  return { from, head };
}

async function writeCommitments(
  { source, output }: ExportOptions,
  first: number,
  head: number,
): Promise<number> {
  let count = 0;
  for (let next = first; ;) {
    const found = await source.commitments(next, commitmentsAtOnce);
    // Those that are newer than the head would want events that are not written.
    const within = found.filter(({ sequenceEnd }) => sequenceEnd <= head);
    await output.write(
      within.map(({ sequenceEnd, body }) => line('commitment', { sequence_end: sequenceEnd, ...body })),
    );
    count += within.length;
    const last = within.at(-1);
    if (last === undefined || found.length < commitmentsAtOnce) return count;
    next = last.sequenceEnd + 1;
  }
}

async function writeEvents(
  { source, output, onEvents }: ExportOptions,
  { first, head, from }: { first: number; head: number; from: number },
  agentKeysMissing: AgentKeyRef[],
): Promise<number> {
  const knownKeys = new Set<string>();
  let count = 0;
  for (let next = first; next <= head;) {
    const page = await source.events(next, head);
    const lines: (string | Uint8Array)[] = [];
    for (const event of page.events) {
      if (event.signedBy !== null) {
        const key = await newKey(source, event.signedBy, knownKeys);
        if (key === null) agentKeysMissing.push(event.signedBy);
        else if (key !== 'known') lines.push(line('agent_key', key));
      }
      lines.push(eventLine(event));
    }
    await output.write(lines);
    count += page.events.length;
    next = page.next;
    onEvents(next - from, head - from + 1);
  }
  return count;
}

/** @returns null when it can't be had */
async function newKey(
  source: ExportSource,
  ref: AgentKeyRef,
  known: Set<string>,
): Promise<object | 'known' | null> {
  const name = `${ref.agentId}/${ref.keyId}`;
  if (known.has(name)) return 'known';
  known.add(name);
  return source.agentKey(ref);
}

function eventLine({ sequence, members }: ExportedEventText): Uint8Array {
  const text = Buffer.concat([
    Buffer.from(`{"type":"event","sequence_number":${sequence},`),
    members,
    Buffer.from('}\n'),
  ]);
  // A payload may have been sent over several lines. Between its tokens a space is as good, and elsewhere there is none.
  for (let at = 0; at < text.length - 1; at++) if (text[at] === 0x0a || text[at] === 0x0d) text[at] = 0x20;
  return text;
}

function line(type: string, members: object): string {
  return `${JSON.stringify({ type, ...members })}\n`;
}

function isSameStream(a: StreamKey, b: StreamKey): boolean {
  return a.tenantId === b.tenantId && a.storeId === b.storeId && a.world === b.world;
}
