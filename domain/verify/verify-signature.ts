import type { Hash, Uuid } from '../types.ts';
import type { Checklist, VerifyRule } from './checklist.ts';
import type { Cryptography } from './cryptography.ts';
import type { KeyRing } from './keys.ts';

/** A signature of the sequencer, and what it is said to be by. */
export interface SequencerSignature {
  readonly sequencerId: Uuid;
  readonly keyVersion: number;
  readonly signature: Uint8Array;
}

/** Checks a signature of the sequencer by the key whose version it names. */
export function checkSequencerSignature(
  { rule, subject }: { readonly rule: VerifyRule; readonly subject: string },
  hash: Hash,
  { sequencerId, keyVersion, signature }: SequencerSignature,
  { keys, cryptography, checklist }: VerifyContext,
): void {
  const versions = keys.sequencerKeyVersions;
  if (versions.length === 0) {
    const missing = `version ${keyVersion} of the sequencer's public key is not at hand`;
    checklist.unchecked(rule, subject, missing, 'no key');
    return;
  }
  if (keys.sequencerId !== null && keys.sequencerId !== sequencerId) {
    checklist.failed(
      rule,
      subject,
      `it names the sequencer ${sequencerId}; the keys are of ${keys.sequencerId}`,
    );
    return;
  }
  const key = keys.sequencerKey(keyVersion);
  if (key === null) {
    checklist.failed(
      rule,
      subject,
      `it names version ${keyVersion} of the key; known are ${versions.join(', ')}`,
    );
    return;
  }
  const holds = cryptography.verifyEd25519(signature, hash, key);
  const words = holds ? 'signed by' : 'the signature is not one by';
  checklist.note(rule, subject, holds, `${words} version ${keyVersion} of the sequencer's key`);
}

/** What every check works with. */
export interface VerifyContext {
  readonly keys: KeyRing;
  readonly cryptography: Cryptography;
  readonly checklist: Checklist;
  /** Whether what nobody signed fails instead of being passed over. */
  readonly requireSignatures: boolean;
}

/** Notes that a receipt or a commitment says itself that nobody signed it. */
export function noteUnsigned(
  { rule, subject }: { readonly rule: VerifyRule; readonly subject: string },
  { checklist, requireSignatures }: VerifyContext,
): void {
  const detail = 'nobody signed it, so it proves nothing about the sequencer';
  if (requireSignatures) checklist.failed(rule, subject, detail);
  else checklist.unchecked(rule, subject, detail, 'unsigned');
}
