import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { utf8Bytes } from '../../domain/bytes.ts';
import { Refused, SequencerError, UnusableEvidence } from '../../domain/errors.ts';
import type { World } from '../../domain/types.ts';
import {
  type Cryptography,
  portableCryptography,
  readEvidence,
  verifyBundle,
  verifyEvents,
  type VerifyReport,
  verifyReceipts,
} from '../../domain/verify/verify.ts';
import { NodeCryptography } from '../../bin/verify/node-cryptography.ts';
import {
  agentKeyTexts,
  bundleText,
  eventText,
  receiptText,
  sequencerKeysAnswer,
} from '../support/evidence.ts';

const cryptography = new NodeCryptography();

function verifyText(text: string | Uint8Array, by: Cryptography = cryptography): VerifyReport {
  const bytes = typeof text === 'string' ? utf8Bytes(text) : text;
  const evidence = readEvidence(bytes, by.sha256);
  if (evidence.kind === 'bundle') return verifyBundle(evidence.bundle, { cryptography: by });
  if (evidence.kind === 'events') return verifyEvents(evidence.events, evidence.keys, { cryptography: by });
  if (evidence.kind === 'receipts') {
    return verifyReceipts(evidence.receipts, () => null, { cryptography: by });
  }
  throw new Error(`a ${evidence.kind} is not what this test is about`);
}

const sequences = [1, 2, 4, 7, 19, 29, 30, 129];

describe.each(['ves', 'legacy'] as const)('a %s bundle', (world: World) => {
  test.each(sequences)('of event %i holds in all its checks', (sequence) => {
    const report = verifyText(bundleText(world, sequence));
    expect(report.checks.filter(({ holds }) => holds !== true)).toEqual([]);
    const rules = report.checks.map(({ rule }) => rule);
    const always = ['payload-hash', 'leaf', 'inclusion', 'order', 'range', 'commitment-signature'];
    const signed = ['form', 'agent-signature', 'receipt-hash', 'receipt-signature', 'state-root'];
    const isPlain = rules.includes('payload-hash');
    const expected = world === 'ves' ? [...always.slice(isPlain ? 0 : 1), ...signed] : always;
    expect(new Set(rules)).toEqual(new Set([...expected, ...(isPlain ? [] : ['cipher-hash'])]));
  });

  test('is judged alike by the portable cryptography', () => {
    const text = bundleText(world, 19);
    expect(verifyText(text, portableCryptography)).toEqual(verifyText(text));
  });

  test('with any single bit flipped in what is covered does not hold', () => {
    const texts = new Map(sequences.map((sequence) => [sequence, utf8Bytes(bundleText(world, sequence))]));
    const flip = fc.record({
      sequence: fc.constantFrom(...sequences),
      place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      bit: fc.integer({ min: 0, max: 7 }),
    });
    fc.assert(
      fc.property(flip, ({ sequence, place, bit }) => {
        const text = texts.get(sequence)!;
        const flipped = Uint8Array.from(text);
        const at = Math.floor(place * text.length);
        flipped[at] = text[at]! ^ (1 << bit);
        expect(passes(flipped) && !saysTheSame(world, text, flipped)).toBe(false);
      }),
      { numRuns: 1_500 },
    );
  });
});

/** Whether the verdict is the same as for a bundle that was left alone. */
function passes(text: Uint8Array): boolean {
  try {
    const { holds, lacksKeys } = verifyText(text);
    return holds && !lacksKeys;
  } catch (error) {
    if (error instanceof SequencerError) return false;
    throw error;
  }
}

/**
 * Whether two bundles claim the same. Nothing covers when something was sequenced or committed and, of a legacy event, most
 * of the envelope; and what a bundle repeats may stay away.
 */
function saysTheSame(world: World, a: Uint8Array, b: Uint8Array): boolean {
  const [left, right] = [essenceOf(world, a), essenceOf(world, b)];
  for (const [name, value] of Object.entries(left)) {
    const isRepeated = repeated.some((end) => name.endsWith(end));
    if (!(name in right) && isRepeated) continue;
    if (!isDeepStrictEqual(normal(value), normal(right[name]))) return false;
  }
  return true;
}

const repeated = [
  'directions',
  '.leaf_count',
  'tree_depth',
  'padded_leaf_count',
  'ves_version',
  'agent_key.tenant_id',
  '.payload_hash',
  'event.sequence_number',
  'envelope.sequence_number',
  '.events_root',
  '.merkle_root',
];
const uncovered = ['command_id', 'base_version', 'agent_signature_scheme', 'sequencedAt', 'committed_at'];
const uncoveredInLegacy = [
  'event_id',
  'event_type',
  'created_at',
  'source_agent',
  'envelope_version',
  'signature',
];

/** The claims of a bundle, by path. */
function essenceOf(world: World, text: Uint8Array): Record<string, unknown> {
  const bundle = JSON.parse(new TextDecoder().decode(text));
  const event = world === 'ves' ? bundle.event : bundle.event.envelope;
  const parts = {
    event,
    receipt: bundle.receipt,
    commitment: bundle.commitment,
    proof: bundle.proof,
    agent_key: bundle.agent_key,
    key: bundle.sequencer.keys[0],
    sequencer: { id: bundle.sequencer.sequencerId },
  };
  const essence: Record<string, unknown> = {};
  for (const [part, members] of Object.entries(parts)) {
    for (const [name, value] of Object.entries(members ?? {})) {
      if (uncovered.includes(name) || name === 'receiptSignatureScheme') continue;
      if (part === 'event' && world === 'legacy' && uncoveredInLegacy.includes(name)) continue;
      essence[`${part}.${name}`] = value;
    }
  }
  return essence;
}

/** Hex may be in either case. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  return typeof value === 'string' && /^(0x)?[0-9a-f-]+$/i.test(value) ? value.toLowerCase() : value;
}

describe('an event with its receipt', () => {
  const beside = { sequencer: sequencerKeysAnswer, agent_key: agentKeyTexts()[0] };
  const text = `{"event":${eventText('ves', 1)},"receipt":${receiptText(1)},${JSON.stringify(beside).slice(1)}`;

  test('holds', () => {
    const report = verifyText(text);
    expect(report).toMatchObject({ holds: true, lacksKeys: false });
    expect(report.counts).toMatchObject({
      'agent-signature': { held: 1 },
      'receipt-hash': { held: 1 },
      'receipt-signature': { held: 1 },
    });
  });

  test.each([
    ['another sequence', (receipt: any) => ({ ...receipt, sequenceNumber: 2 }), 'receipt-hash'],
    ['another event', (receipt: any) => ({ ...receipt, eventId: crypto.randomUUID() }), 'receipt-hash'],
    [
      'another sequencer',
      (receipt: any) => ({ ...receipt, sequencerId: crypto.randomUUID() }),
      'receipt-signature',
    ],
    [
      'a key version that is not known',
      (receipt: any) => ({ ...receipt, sequencerKeyVersion: 9 }),
      'receipt-signature',
    ],
    ['an empty signature', (receipt: any) => ({ ...receipt, sequencerSignature: '' }), 'receipt-signature'],
    ['another algorithm', (receipt: any) => ({ ...receipt, signatureAlg: 'MlDsa65' }), 'receipt-signature'],
  ])('does not hold when its receipt names %s', (_, change, rule) => {
    const document = { receipt: change(JSON.parse(receiptText(1))), ...beside };
    const report = verifyText(`{"event":${eventText('ves', 1)},${JSON.stringify(document).slice(1)}`);
    expect(report.holds).toBe(false);
    expect(report.counts).toMatchObject({ [rule]: { failed: 1 } });
  });

  test('that nobody signed proves nothing, and fails when signatures are asked for', () => {
    const unsigned = { ...JSON.parse(receiptText(1)), signatureAlg: 'none', sequencerSignature: '' };
    const document = `{"event":${eventText('ves', 1)},${JSON.stringify({ receipt: unsigned, ...beside }).slice(1)}`;
    const evidence = readEvidence(utf8Bytes(document), cryptography.sha256);
    if (evidence.kind !== 'events') throw new Error(evidence.kind);
    const { events, keys } = evidence;
    expect(verifyEvents(events, keys)).toMatchObject({
      holds: true,
      lacksKeys: false,
      counts: { 'receipt-signature': { held: 0, unchecked: 1 } },
    });
    expect(verifyEvents(events, keys, { requireSignatures: true }).holds).toBe(false);
  });
});

test.each([
  ['{}', UnusableEvidence],
  ['{"format":"x"}', UnusableEvidence],
  ['{"format":"stateset-sequencer-export"}', UnusableEvidence],
  ['[]', Refused],
  ['', Refused],
  ['null', Refused],
])('%s is none of the known documents', (text, refusal) => {
  expect(() => readEvidence(utf8Bytes(text), cryptography.sha256)).toThrow(refusal);
});
