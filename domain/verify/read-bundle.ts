import { Refused } from '../errors.ts';
import type { FieldReader } from '../json/fields.ts';
import type { Sha256 } from '../sha256.ts';
import { noKeys, type PublicKeys } from './keys.ts';
import { type Proof, readCommitment, readProof, type SignedCommitment } from './read-commitment.ts';
import { type FoundEvent, readEvent } from './read-event.ts';
import { readAgentKey, readSequencer } from './read-keys.ts';
import { readReceipt, type Receipt } from './read-receipt.ts';
import { record, values } from './read-record.ts';

/** What the member `format` of a proof bundle says, and its version. */
export const bundleFormat = 'stateset-sequencer-proof';
export const bundleFormatVersion = 1;

/** Everything that one needs to check one event: docs/verify.md has the format. */
export interface Bundle {
  readonly event: FoundEvent;
  /** Null in legacy, which has none. */
  readonly receipt: Receipt | null;
  readonly commitment: SignedCommitment;
  readonly proof: Proof;
  readonly keys: PublicKeys;
}

/** @throws Refused */
export function readBundle(fields: FieldReader, sha256: Sha256): Bundle {
  const found = record(
    {
      format: values.text,
      format_version: values.u32,
      event: (event: FieldReader) => readEvent(event, sha256),
      commitment: readCommitment,
      proof: readProof,
    },
    { receipt: readReceipt, sequencer: readSequencer, agent_key: readAgentKey },
  )(fields);
  const { format, format_version: version, event, receipt, commitment, proof, sequencer, agent_key } = found;
  if (format !== bundleFormat || version !== bundleFormatVersion) {
    throw new Refused(
      'WRONG_SHAPE',
      `it is of the format ${format}, version ${version}; known is ${bundleFormat}, version ${bundleFormatVersion}`,
    );
  }
  if (event.world === 'ves' && receipt === undefined) {
    throw new Refused('WRONG_SHAPE', 'the bundle has a signed event and no receipt');
  }
  const keys = sequencer ?? noKeys;
  return {
    event,
    receipt: receipt ?? null,
    commitment,
    proof,
    keys: agent_key === undefined ? keys : { ...keys, agentKeys: [agent_key] },
  };
}
