import { boolean, integer, secret, text } from '../definition.ts';

/** How signed events are accepted, and how the sequencer signs. */
export const vesDefinitions = {
  vesSequencerId: text({
    env: 'VES_SEQUENCER_ID',
    default: { from: () => null, text: 'made once for the database' },
    accepts: 'a UUID',
    pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    why: 'names the sequencer in receipts and commitments; kept in the database, so it need be set once, and the same on all nodes',
  }),
  vesReceiptSigning: boolean({
    env: 'VES_RECEIPT_SIGNING',
    default: true,
    why: 'off leaves receipts and commitments without a signature, so that they prove nothing against the sequencer',
  }),
  vesSequencerSigningKey: secret({
    env: 'VES_SEQUENCER_SIGNING_KEY',
    default: null,
    accepts: '32 bytes as hex, with or without 0x, or as base64',
    pattern: /^((0x)?[0-9A-Fa-f]{64}|[A-Za-z0-9+/_-]{42}[AEIMQUYcgkosw048]=?)$/,
    why: 'the private Ed25519 key that signs receipts and commitments; unset, the node makes one and keeps it in DATA_DIR as receipt-signing-key. Every public key that was ever in use is recorded in the database',
  }),
  vesStrictFormatValidation: boolean({
    env: 'VES_STRICT_FORMAT_VALIDATION',
    default: false,
    why: 'on refuses hashes and signatures of signed events that are not written as 0x and lower-case hex, and base64url with padding',
  }),
  cacheAgentKeyMax: integer({
    env: 'CACHE_AGENT_KEY_MAX',
    default: 1_000,
    min: 1,
    max: 10_000_000,
    unit: 'keys',
    why: "agents' public keys kept in memory; a signature by another costs a look-up in Postgres",
  }),
  cacheAgentKeyTtlSecs: integer({
    env: 'CACHE_AGENT_KEY_TTL_SECS',
    default: 3_600,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    why: "an agent's key is looked up again after this long; a revocation acts within a second whatever the value",
  }),
};
