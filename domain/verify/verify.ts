/**
 * Offline verification: checks what a sequencer hands out, with nothing but the published formats. Pure: no I/O and nothing
 * of Node, so it runs in a browser as well. docs/verify.md says what each rule means.
 */
import { addKeys } from './add-keys.ts';
import { Checklist, type VerifyReport } from './checklist.ts';
import { portableCryptography } from './cryptography.ts';
import { KeyRing, type PublicKeys } from './keys.ts';
import type { Bundle } from './read-bundle.ts';
import type { SignedCommitment } from './read-commitment.ts';
import type { EventWithReceipt } from './read-evidence.ts';
import type { FoundEvent } from './read-event.ts';
import type { Receipt } from './read-receipt.ts';
import { verifyBundle as checkBundle } from './verify-bundle.ts';
import { verifyCommitment as checkCommitment } from './verify-commitment.ts';
import { verifyEvent as checkEvent } from './verify-event.ts';
import { verifyReceipt as checkReceipt } from './verify-receipt.ts';
import type { VerifyContext } from './verify-signature.ts';
import type { VerifyStreamOptions } from './verify-stream.ts';

export { type Check, type VerifyReport, type VerifyRule, verifyRules } from './checklist.ts';
export { type Cryptography, portableCryptography } from './cryptography.ts';
export { type Equivocation, findEquivocation } from './find-equivocation.ts';
export { KeyRing, noKeys, type PublicKeys } from './keys.ts';
export type { Bundle } from './read-bundle.ts';
export type { SignedCommitment } from './read-commitment.ts';
export { type Evidence, type EventWithReceipt, readEvidence, readKeysDocument } from './read-evidence.ts';
export { type ExportHeader, exportFormat, readExportHeader } from './read-export.ts';
export type { FoundEvent } from './read-event.ts';
export type { Receipt } from './read-receipt.ts';
export { StreamVerifier } from './verify-stream.ts';

/** What the checks of one thing need. */
export type VerifyOptions = VerifyStreamOptions;

/** Checks a proof bundle, as `GET /api/v1/ves/proofs/:sequence_number/bundle` answers it. */
export function verifyBundle(bundle: Bundle, options: VerifyOptions = {}): VerifyReport {
  return checked(options, (context) => checkBundle(bundle, context));
}

/**
 * Checks events, and where they have one their receipts.
 * @param found keys that stand beside them; those of the options go before
 */
export function verifyEvents(
  events: readonly EventWithReceipt[],
  found: PublicKeys,
  options: VerifyOptions = {},
): VerifyReport {
  return checked(options, (context) => {
    addKeys(found, context);
    for (const { event, receipt } of events) {
      const sequence = receipt?.sequence ?? event.sequence;
      const subject = sequence === null ? `event ${event.event.eventId}` : `event ${sequence}`;
      checkEvent(subject, event, context);
      if (event.world !== 'ves' || receipt === null) continue;
      if (event.sequence !== null && event.sequence !== receipt.sequence) {
        const detail = `the event names sequence ${event.sequence}, its receipt ${receipt.sequence}`;
        context.checklist.failed('order', subject, detail);
      }
      checkReceipt(subject, receipt, event.event, context);
    }
  });
}

/**
 * Checks receipts: that each is for its event, and that the sequencer signed it.
 * @param eventOf the event of a receipt; null when it is not at hand, and the hash is taken as it stands
 */
export function verifyReceipts(
  receipts: readonly Receipt[],
  eventOf: (receipt: Receipt) => FoundEvent | null,
  options: VerifyOptions = {},
): VerifyReport {
  return checked(options, (context) => {
    for (const receipt of receipts) {
      const found = eventOf(receipt);
      const event = found?.world === 'ves' ? found.event : null;
      checkReceipt(`receipt ${receipt.sequence}`, receipt, event, context);
    }
  });
}

/** Checks one commitment by itself: nothing of the events that it is over, and not what it follows. */
export function verifyCommitment(commitment: SignedCommitment, options: VerifyOptions = {}): VerifyReport {
  return checked(options, (context) => checkCommitment(commitment, context));
}

function checked(options: VerifyOptions, check: (context: VerifyContext) => void): VerifyReport {
  const checklist = new Checklist('all');
  check({
    keys: new KeyRing(options.keys),
    cryptography: options.cryptography ?? portableCryptography,
    checklist,
    requireSignatures: options.requireSignatures ?? false,
  });
  return checklist.report();
}
