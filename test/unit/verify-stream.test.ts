import { utf8Bytes } from '../../domain/bytes.ts';
import { readExportHeader, StreamVerifier, type VerifyReport } from '../../domain/verify/verify.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { NodeCryptography } from '../../bin/verify/node-cryptography.ts';
import { commitmentTexts, exportLines, signedCommitment, streamOf } from '../support/evidence.ts';

function verifyLines(lines: readonly string[]): VerifyReport {
  const [header = '', ...rest] = lines;
  const verifier = new StreamVerifier(readExportHeader(utf8Bytes(header)), {
    cryptography: new NodeCryptography(),
  });
  rest.forEach((line, index) => verifier.addText(utf8Bytes(line), index + 2));
  return verifier.finish();
}

function failures({ checks }: VerifyReport): string[] {
  return checks.filter(({ holds }) => holds === false).map(({ rule, subject }) => `${rule}: ${subject}`);
}

/** The lines with the one that contains a text replaced. */
function replaced(lines: readonly string[], containing: string, change: (line: string) => string): string[] {
  const at = lines.findIndex((line) => line.includes(containing));
  expect(at).toBeGreaterThan(0);
  return lines.with(at, change(lines[at]!));
}

const ves = exportLines('ves');
const eventLine = (sequence: number) => `{"type":"event","sequence_number":${sequence},`;

test.each(['ves', 'legacy'] as const)('the published %s stream, written as an export, holds', (world) => {
  const report = verifyLines(exportLines(world));
  expect(failures(report)).toEqual([]);
  expect(report).toMatchObject({ holds: true, lacksKeys: false });
  const { eventCount } = streamOf(world);
  const commitmentCount = commitmentTexts(world).length;
  const held = (count: number) => ({ held: count, failed: 0, unchecked: 0 });
  expect(report.counts).toMatchObject({
    'payload-hash': world === 'ves' ? expect.anything() : held(eventCount),
    order: held(eventCount),
    root: held(commitmentCount),
    chain: held(commitmentCount),
    'commitment-signature': held(commitmentCount),
    complete: held(1),
  });
  if (world === 'ves') {
    expect(report.counts).toMatchObject({
      'agent-signature': held(eventCount),
      'receipt-hash': held(eventCount),
      'receipt-signature': held(eventCount),
      'state-root': held(commitmentCount),
    });
  }
});

test('the portable cryptography gives the same verdict', () => {
  const portable = new StreamVerifier(readExportHeader(utf8Bytes(ves[0]!)));
  ves.slice(1).forEach((line, index) => portable.addText(utf8Bytes(line), index + 2));
  expect(portable.finish()).toEqual(verifyLines(ves));
});

test('a missing event is named, and so is the root that it was under', () => {
  const report = verifyLines(ves.filter((line) => !line.includes(eventLine(5))));
  expect(report.checks).toContainEqual({
    rule: 'order',
    subject: 'event 6',
    holds: false,
    detail: '5 is missing before it',
  });
  expect(failures(report)).toContainEqual(expect.stringMatching(/^root: commitment /));
  expect(failures(report)).toContain('complete: export');
});

test('an event that comes twice is named', () => {
  const at = ves.findIndex((line) => line.startsWith(eventLine(7)));
  const report = verifyLines(ves.toSpliced(at, 0, ves[at]!));
  expect(failures(report)).toEqual(
    expect.arrayContaining(['order: event 7', 'one-sequence-per-event: event 7']),
  );
});

test('two events that are exchanged are named', () => {
  const at = ves.findIndex((line) => line.startsWith(eventLine(7)));
  const report = verifyLines(ves.with(at, ves[at + 1]!).with(at + 1, ves[at]!));
  expect(failures(report)).toEqual(expect.arrayContaining(['order: event 8', 'order: event 7']));
});

test('a line that can not be read is named, and the rest is checked all the same', () => {
  const at = ves.findIndex((line) => line.startsWith(eventLine(9)));
  const report = verifyLines(replaced(ves, eventLine(9), () => `${eventLine(9)}"event":{]`));
  const commitment = commitmentTexts('ves').find(({ sequence_end: end }) => end >= 9)!;
  const subject = `commitment ${commitment.sequence_start}..${commitment.sequence_end}`;
  expect(failures(report)).toEqual(['readable: event 9', `root: ${subject}`]);
  expect(report.checks[0]!.detail).toMatch(new RegExp(`^line ${at + 1}: `));
  expect(report.counts['agent-signature']?.held).toBe(streamOf('ves').eventCount - 1);
});

test('a line that is not even an event is named by its number', () => {
  const at = ves.findIndex((line) => line.startsWith(eventLine(9)));
  const report = verifyLines(replaced(ves, eventLine(9), () => '{"type":"event",'));
  expect(failures(report)).toEqual(
    expect.arrayContaining([`readable: line ${at + 1}, after event 8`, 'order: event 10']),
  );
});

test('an export that ends too early is not complete', () => {
  expect(failures(verifyLines(ves.slice(0, -2)))).toContain('complete: export');
  expect(failures(verifyLines(ves.slice(0, -1)))).toEqual(['complete: export']);
});

test('a commitment that is left out breaks the chain behind it', () => {
  const [, second, third] = commitmentTexts('ves');
  const report = verifyLines(ves.filter((line) => !line.includes(second!.batch_id as string)));
  const subject = `commitment ${third!.sequence_start}..${third!.sequence_end}`;
  expect(failures(report)).toEqual([`range: ${subject}`, `chain: ${subject}`, 'complete: export']);
});

test('a root that is signed and wrong is named', () => {
  const third = commitmentTexts('ves')[2]!;
  const forged = signedCommitment('ves', { ...third, merkle_root: 'ab'.repeat(32) });
  const report = verifyLines(
    replaced(ves, third.batch_id as string, () => JSON.stringify({ type: 'commitment', ...forged })),
  );
  const subject = `commitment ${third.sequence_start}..${third.sequence_end}`;
  expect(failures(report)).toEqual([`state-root: ${subject}`, `root: ${subject}`]);
});

test('an export from the middle on is checked as far as it goes', () => {
  const { eventCount } = streamOf('ves');
  const from = 10;
  const commitments = commitmentTexts('ves').filter(({ sequence_end: end }) => end >= from);
  const kept = ves.filter((line) => {
    const sequence = /^\{"type":"event","sequence_number":(\d+),/.exec(line)?.[1];
    if (sequence !== undefined) return Number(sequence) >= from;
    return (
      !line.includes('"commitment"') || commitments.some(({ batch_id }) => line.includes(batch_id as string))
    );
  });
  const end = { type: 'end', events: eventCount - from + 1, commitments: commitments.length };
  const lines = [ves[0]!.replace('"from":1', `"from":${from}`), ...kept.slice(1, -1), JSON.stringify(end)];
  const report = verifyLines(lines);
  expect(failures(report)).toEqual([]);
  expect(report.counts.chain).toEqual({ held: commitments.length - 1, failed: 0, unchecked: 1 });
});

test('without keys nothing is said about signatures, and that is said', () => {
  const report = verifyLines(ves.filter((line) => !line.includes('_key"')));
  expect(report).toMatchObject({ holds: true, lacksKeys: true });
  expect(report.counts['agent-signature']).toEqual({
    held: 0,
    failed: 0,
    unchecked: streamOf('ves').eventCount,
  });
});

test('keys that were given go before those of the export', () => {
  const [header = '', ...rest] = ves;
  const keys = {
    sequencerId: null,
    agentKeys: [],
    sequencerKeys: [{ keyVersion: 1, publicKey: nodeSha256(utf8Bytes('')) }],
  };
  const verifier = new StreamVerifier(readExportHeader(utf8Bytes(header)), {
    keys,
    cryptography: new NodeCryptography(),
  });
  rest.forEach((line, index) => verifier.addText(utf8Bytes(line), index + 2));
  const { counts } = verifier.finish();
  expect(counts.keys).toMatchObject({ failed: 1 });
  expect(counts['receipt-signature']).toMatchObject({ held: 0, failed: streamOf('ves').eventCount });
});
