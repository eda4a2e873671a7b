import { readFile, stat } from 'node:fs/promises';
import { UnusableEvidence } from '../../domain/errors.ts';
import {
  type Cryptography,
  type Evidence,
  exportFormat,
  type ExportHeader,
  noKeys,
  type PublicKeys,
  readEvidence,
  readExportHeader,
  readKeysDocument,
  type SignedCommitment,
  StreamVerifier,
  type VerifyReport,
} from '../../domain/verify/verify.ts';
import { byteLines } from './byte-lines.ts';

/** A file after it was looked into: an export was checked on the way, since it may not fit in memory. */
export type ReadFile =
  | {
      readonly kind: 'export';
      readonly header: ExportHeader;
      readonly report: VerifyReport;
      readonly commitments: readonly SignedCommitment[];
      readonly keys: PublicKeys;
    }
  | Evidence;

export interface ReadOptions {
  readonly keys: PublicKeys;
  readonly cryptography: Cryptography;
  readonly requireSignatures: boolean;
  /** Told now and then how far an export is. */
  readonly onLine?: (bytesRead: number, bytesTotal: number) => void;
}

/** A document is held in memory as a whole. */
const documentBytesMax = 268_435_456;

/**
 * Reads a file of any of the kinds that `verify` takes.
 * @throws UnusableEvidence, Refused, or the system's error when it can't be used
 */
export async function readEvidenceFile(file: string, options: ReadOptions): Promise<ReadFile> {
  const { size } = await stat(file);
  for await (const line of byteLines(file)) {
    if (isExportHeader(line)) return readExport(file, size, options);
    break;
  }
  return readEvidence(await readDocumentFile(file, size), options.cryptography.sha256);
}

/** @throws UnusableEvidence, Refused, or the system's error when the file has no keys */
export async function readKeysFile(file: string): Promise<PublicKeys> {
  const { size } = await stat(file);
  return readKeysDocument(await readDocumentFile(file, size));
}

async function readExport(file: string, size: number, options: ReadOptions): Promise<ReadFile> {
  const commitments: SignedCommitment[] = [];
  const sequencerKeys: PublicKeys['sequencerKeys'][number][] = [];
  let opened: { readonly header: ExportHeader; readonly verifier: StreamVerifier } | null = null;
  let lineNumber = 0;
  let bytes = 0;
  for await (const text of byteLines(file)) {
    lineNumber++;
    bytes += text.length + 1;
    if (opened === null) {
      const header = readExportHeader(text);
      opened = { header, verifier: new StreamVerifier(header, options) };
      continue;
    }
    if (text.length === 0) continue;
    const line = opened.verifier.addText(text, lineNumber);
    if (line?.type === 'commitment') commitments.push(line.commitment);
    else if (line?.type === 'sequencer_key') sequencerKeys.push(line.key);
    options.onLine?.(bytes, size);
  }
  if (opened === null) throw new UnusableEvidence('it is empty');
  const { header, verifier } = opened;
  const keys = { ...noKeys, sequencerId: header.sequencerId, sequencerKeys };
  return { kind: 'export', header, report: verifier.finish(), commitments, keys };
}

async function readDocumentFile(file: string, size: number): Promise<Uint8Array> {
  if (size > documentBytesMax) {
    throw new UnusableEvidence(`it is no export, and has more than ${documentBytesMax} bytes`);
  }
  return readFile(file);
}

function isExportHeader(line: Uint8Array): boolean {
  try {
    const { format } = JSON.parse(new TextDecoder().decode(line)) as { readonly format?: unknown };
    return format === exportFormat;
  } catch {
    return false;
  }
}
