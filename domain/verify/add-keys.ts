import type { PublicKeys } from './keys.ts';
import type { VerifyContext } from './verify-signature.ts';

/** Takes in the keys that a file brings, and notes where they contradict those that were given. */
export function addKeys(found: PublicKeys, { keys, checklist }: VerifyContext): void {
  const { sequencerId, sequencerKeys, agentKeys } = found;
  const contradictions = [
    sequencerId === null ? null : keys.addSequencerId(sequencerId),
    ...sequencerKeys.map((key) => keys.addSequencerKey(key)),
    ...agentKeys.map((key) => keys.addAgentKey(key)),
  ];
  for (const contradiction of contradictions) {
    if (contradiction !== null) checklist.failed('keys', 'keys', contradiction);
  }
}
