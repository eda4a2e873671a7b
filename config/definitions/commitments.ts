import { integer } from '../definition.ts';

/** How commitments are made and remembered. */
export const commitmentDefinitions = {
  commitmentEveryEvents: integer({
    env: 'COMMITMENT_EVERY_EVENTS',
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'events',
    why: 'each stream is committed by itself as soon as it has this many new events, that many at a time; 0 is never for their number alone',
  }),
  commitmentEverySecs: integer({
    env: 'COMMITMENT_EVERY_SECS',
    default: 0,
    min: 0,
    max: 31_536_000,
    unit: 'seconds',
    why: 'each stream is committed by itself when its oldest new event is this old, at most COMMITMENT_EVERY_EVENTS at a time (1024 when that is 0); 0 is never for age alone',
  }),
  cacheCommitmentMax: cacheMax(
    'CACHE_COMMITMENT_MAX',
    1_000,
    'commitments',
    'legacy commitments kept in memory',
  ),
  cacheCommitmentTtlSecs: cacheTtl('CACHE_COMMITMENT_TTL_SECS', 300, 'a legacy commitment'),
  cacheProofMax: cacheMax(
    'CACHE_PROOF_MAX',
    5_000,
    'proofs',
    'legacy proofs kept in memory, 32 neighbours as one',
  ),
  cacheProofTtlSecs: cacheTtl('CACHE_PROOF_TTL_SECS', 600, 'a legacy proof'),
  cacheVesCommitmentMax: cacheMax(
    'CACHE_VES_COMMITMENT_MAX',
    { from: () => 1_000, text: 'CACHE_COMMITMENT_MAX' },
    'commitments',
    'VES commitments kept in memory',
  ),
  cacheVesCommitmentTtlSecs: cacheTtl(
    'CACHE_VES_COMMITMENT_TTL_SECS',
    { from: () => 300, text: 'CACHE_COMMITMENT_TTL_SECS' },
    'a VES commitment',
  ),
  cacheVesProofMax: cacheMax(
    'CACHE_VES_PROOF_MAX',
    { from: () => 5_000, text: 'CACHE_PROOF_MAX' },
    'proofs',
    'VES proofs kept in memory, 32 neighbours as one',
  ),
  cacheVesProofTtlSecs: cacheTtl(
    'CACHE_VES_PROOF_TTL_SECS',
    { from: () => 600, text: 'CACHE_PROOF_TTL_SECS' },
    'a VES proof',
  ),
};

type IntegerDefault = Parameters<typeof integer>[0]['default'];

function cacheMax(env: string, whenUnset: IntegerDefault, unit: string, what: string) {
  const why = `${what}; another one costs a round trip to Postgres, which answers the same`;
  return integer({ env, default: whenUnset, min: 1, max: 10_000_000, unit, why });
}

function cacheTtl(env: string, whenUnset: IntegerDefault, what: string) {
  const why = `${what} leaves memory after this long; what is kept never becomes wrong`;
  return integer({ env, default: whenUnset, min: 1, max: 86_400, unit: 'seconds', why });
}
