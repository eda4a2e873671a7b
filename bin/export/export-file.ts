import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { readExportHeader, type ExportHeader } from '../../domain/verify/verify.ts';
import { byteLines } from '../verify/byte-lines.ts';
import { ExportFailed } from './export-failed.ts';

/** Where the lines of an export go. */
export interface ExportOutput {
  /** Whether there is anything of the export by now. */
  readonly hasBegun: boolean;
  /** @param lines each with its line feed */
  write(lines: readonly (string | Uint8Array)[]): Promise<void>;
  close(): Promise<void>;
}

/** How far an export that was begun got. */
export interface ExportProgress {
  readonly header: ExportHeader;
  /** Of the whole lines; what follows was cut off while it was written. */
  readonly bytes: number;
  readonly lastLine: 'header' | 'sequencer_key' | 'commitment' | 'agent_key' | 'event' | 'end';
  readonly lastSequence: number | null;
  readonly lastCommitmentEnd: number | null;
  readonly events: number;
  readonly commitments: number;
}

export class StandardOutput implements ExportOutput {
  hasBegun = false;

  async write(lines: readonly (string | Uint8Array)[]): Promise<void> {
    this.hasBegun = true;
    for (const line of lines) if (!process.stdout.write(line)) await once(process.stdout, 'drain');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A new file, or one that goes on behind its whole lines. It is touched when there is something to write, not before. */
export class FileOutput implements ExportOutput {
  private readonly file: string;
  private readonly isNew: boolean;
  private at: number;
  private handle: FileHandle | null = null;

  constructor(file: string, resumed: ExportProgress | null) {
    this.file = file;
    this.isNew = resumed === null;
    this.at = resumed?.bytes ?? 0;
  }

  get hasBegun(): boolean {
    return !this.isNew || this.handle !== null;
  }

  async write(lines: readonly (string | Uint8Array)[]): Promise<void> {
    if (this.handle === null) {
      this.handle = await open(this.file, this.isNew ? 'w' : 'r+');
      await this.handle.truncate(this.at);
    }
    const bytes = Buffer.concat(lines.map((line) => (typeof line === 'string' ? Buffer.from(line) : line)));
    await this.handle.write(bytes, 0, bytes.length, this.at);
    this.at += bytes.length;
  }

  async close(): Promise<void> {
    await this.handle?.close();
  }
}

/**
 * Finds out how far the export in a file got.
 * @returns null when there is no whole line in it, or no file
 * @throws ExportFailed when it holds something else
 */
export async function readExportProgress(file: string): Promise<ExportProgress | null> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return null;
  const { size } = await handle.stat().finally(() => handle.close());
  const found = {
    lastLine: 'header',
    lastSequence: null,
    lastCommitmentEnd: null,
    events: 0,
    commitments: 0,
  };
  let progress: ExportProgress | null = null;
  let bytes = 0;
  for await (const line of byteLines(file)) {
    bytes += line.length + 1;
    if (bytes > size) break; // No line feed: it was cut off.
    if (progress === null) {
      progress = { ...found, lastLine: 'header', header: headerOf(line, file), bytes };
      continue;
    }
    progress = { ...progress, ...lineOf(line, progress, file), bytes };
  }
  return progress;
}

function headerOf(line: Uint8Array, file: string): ExportHeader {
  try {
    return readExportHeader(line);
  } catch (cause) {
    throw new ExportFailed(`${file} is no export: ${(cause as Error).message}`);
  }
}

/** Looks at the start of a line only: the lines are ours, and `verify` is for those who doubt them. */
function lineOf(line: Uint8Array, before: ExportProgress, file: string): Partial<ExportProgress> {
  const start = new TextDecoder().decode(line.subarray(0, lineStartBytes));
  const [, type, number] = lineStart.exec(start) ?? [];
  switch (type) {
    case 'event':
      return { lastLine: type, lastSequence: Number(number), events: before.events + 1 };
    case 'commitment':
      return { lastLine: type, lastCommitmentEnd: Number(number), commitments: before.commitments + 1 };
    case 'sequencer_key':
    case 'agent_key':
    case 'end':
      return { lastLine: type };
    default:
      throw new ExportFailed(`${file} has a line that no export has: ${start}`);
  }
}

const lineStartBytes = 80;
const lineStart = /^\{"type":"(\w+)"(?:,"sequence_(?:number|end)":(\d+))?/;
