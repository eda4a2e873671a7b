import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LogUnfit } from '../../domain/errors.ts';
import { isIntact, readRecord, recordBytes } from './head-record.ts';
import type { KnownHead } from './known-head.ts';

/** `SSKH` and the version of the format. */
const header = Buffer.from('SSKH\0\0\0\u0001', 'latin1');
/** A file with fewer records is not worth making anew. */
const compactFrom = 10_000;

/** What was read from the file. */
export interface ReadHeads {
  /** In the order in which they were written; the last of a store counts. */
  readonly heads: readonly KnownHead[];
  /** Records in the midst of the file that can't be read, as no crash leaves them. */
  readonly damaged: number;
}

/**
 * Reads the known heads that an earlier run left.
 *
 * A crash may cut off the last records; these are left out, and the next run goes without them.
 * @returns null when there is no file
 * @throws LogUnfit when it is no such file, or of another version
 */
export async function readHeadsFile(path: string): Promise<ReadHeads | null> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });
  if (bytes === null) return null;
  if (!bytes.subarray(0, header.length).equals(header)) {
    throw new LogUnfit(
      `${path} does not hold the heads that this node acknowledged in the form that this version writes: run the version that wrote it, or move it away, and with it the knowledge of what the log must hold.`,
      { path },
    );
  }
  const heads: KnownHead[] = [];
  let damaged = 0;
  let unreadable = 0;
  for (let offset = header.length; offset + recordBytes <= bytes.length; offset += recordBytes) {
    if (!isIntact(bytes, offset)) {
      unreadable += 1;
      continue;
    }
    // Something readable comes after them, so no torn write explains them.
    damaged += unreadable;
    unreadable = 0;
    heads.push(readRecord(bytes, offset));
  }
  return { heads, damaged };
}

/**
 * The file of known heads: changed records are appended, and when most of the file is out of date it is made anew beside and
 * renamed. So a second in which few of many stores change costs a few records, and the file stays bounded.
 */
export class HeadsFile {
  private readonly path: string;
  private file: FileHandle | null = null;
  private recordsWritten = 0;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Adds records; on disk on return.
   * @param changed the records of what changed
   * @param live how many records a new file would hold
   * @param all the records of a new file
   * @throws the system's error; what was to be added may be in the file in part
   */
  async write(changed: Buffer, live: number, all: () => Buffer): Promise<void> {
    const records = this.recordsWritten + changed.length / recordBytes;
    if (this.file === null || records > Math.max(compactFrom, live * 2)) {
      await this.rewrite(all());
      return;
    }
    try {
      await this.file.appendFile(changed);
      await this.file.datasync();
      this.recordsWritten = records;
    } catch (error) {
      // Part of a record may be in it, behind which nothing could be read: the next write makes the file anew.
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const { file } = this;
    this.file = null;
    await file?.close();
  }

  private async rewrite(records: Buffer): Promise<void> {
    const draft = `${this.path}.new`;
    await this.close();
    const file = await open(draft, 'w', 0o600);
    try {
      await file.appendFile(Buffer.concat([header, records]));
      await file.datasync();
      await rename(draft, this.path);
      await syncDirectory(dirname(this.path));
    } catch (error) {
      await file.close();
      await rm(draft, { force: true });
      throw error;
    }
    this.file = file;
    this.recordsWritten = records.length / recordBytes;
  }
}

/** Only then is a rename sure to survive a crash of the machine. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
