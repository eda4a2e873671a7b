import { toHex } from '../../domain/bytes.ts';
import type { Equivocation, VerifyReport, VerifyRule } from '../../domain/verify/verify.ts';
import { verifyRules } from '../../domain/verify/verify.ts';
import type { Disagreement } from './node-cryptography.ts';
import type { FileReport, FilesReport } from './verify-files.ts';

/** What a person reads: what each file is, which rules were put to the test how often, and what does not hold. */
export function describeFiles(
  { files, equivocations, ownKeys }: FilesReport,
  disagreements: readonly Disagreement[],
): string {
  return [
    ...files.flatMap(describeFile),
    ...describeOwnKeys(ownKeys),
    ...disagreements.map(describeDisagreement),
    ...equivocations.map(describeEquivocation),
    verdict(files, equivocations),
  ].join('\n');
}

function describeFile({ file, what, report }: FileReport): string[] {
  const rules = Object.entries(verifyRules) as [VerifyRule, string][];
  const tested = rules.filter(([rule]) => report.counts[rule] !== undefined);
  const width = Math.max(0, ...tested.map(([, words]) => words.length));
  return [
    `${file}: ${what}`,
    ...tested.map(([rule, words]) => `  ${words.padEnd(width)}  ${outcome(report, rule)}`),
    ...describeExceptions(report),
    '',
  ];
}

function outcome(report: VerifyReport, rule: VerifyRule): string {
  const { held, failed, unchecked } = report.counts[rule] ?? { held: 0, failed: 0, unchecked: 0 };
  return [
    failed > 0 ? `FAILS ${times(failed)}` : '',
    held > 0 ? `holds ${times(held)}` : '',
    unchecked > 0 ? `not checked ${times(unchecked)}` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function describeExceptions({ checks, counts }: VerifyReport): string[] {
  const exceptions = checks.filter(({ holds }) => holds !== true);
  const total = Object.values(counts).reduce((sum, { failed, unchecked }) => sum + failed + unchecked, 0);
  const lines = exceptions.map(({ rule, subject, holds, detail }) => {
    return `  ${holds === false ? 'FAILS' : 'not checked'}: ${subject}: ${detail} [${rule}]`;
  });
  const unlisted = total - exceptions.length;
  return unlisted > 0 ? [...lines, `  and ${unlisted.toLocaleString('en-US')} more`] : lines;
}

function describeOwnKeys(ownKeys: FilesReport['ownKeys']): string[] {
  const known = new Map(ownKeys.map(({ keyVersion, publicKey }) => [keyVersion, toHex(publicKey)]));
  if (known.size === 0) return [];
  return [
    "The sequencer's signatures were checked by keys that the files bring themselves. Compare them with what the",
    'sequencer publishes (GET /api/v1/sequencer/keys), or give that answer with --keys:',
    ...[...known].map(([keyVersion, publicKey]) => `  version ${keyVersion}: ${publicKey}`),
    '',
  ];
}

function describeDisagreement({ publicKey, signature, portable }: Disagreement): string {
  return (
    `OpenSSL ${portable ? 'refuses' : 'takes'} the signature ${signature.slice(0, 16)}… by the odd key ${publicKey}; ` +
    `the portable verdict, which counts, is that it ${portable ? 'holds' : 'does not hold'}.`
  );
}

function describeEquivocation({ a, b, isProven, detail }: Equivocation): string {
  const proof = isProven
    ? 'Both are signed by the sequencer, which thereby contradicts itself.'
    : 'Not both have a signature that holds, so this alone does not convict the sequencer.';
  return [
    `CONTRADICTION in the ${a.world} stream of ${a.tenantId}/${a.storeId}: ${detail}. ${proof}`,
    ...[a, b].map(
      ({ batchId, sequenceStart, sequenceEnd, root, stateRoot }) =>
        `  batch ${batchId}, ${sequenceStart}..${sequenceEnd}, root ${toHex(root)}, state root ${toHex(stateRoot)}`,
    ),
    '',
  ].join('\n');
}

function verdict(files: readonly FileReport[], equivocations: readonly Equivocation[]): string {
  const failing = files.filter(({ report }) => !report.holds).length;
  if (failing > 0)
    return files.length === 1 ? 'It does not hold.' : `${failing} of ${files.length} files do not hold.`;
  if (equivocations.length > 0) return 'The commitments contradict each other.';
  if (files.some(({ report }) => report.lacksKeys)) {
    return 'What was checked holds, but keys are missing: give them with --keys.';
  }
  return 'Everything that was checked holds.';
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count.toLocaleString('en-US')} times`;
}
