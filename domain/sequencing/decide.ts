import type { Sha256 } from '../sha256.ts';
import type { Micros, StoreKey } from '../types.ts';
import type { AppendRequest, Decision, Facts, Needs, StoreState } from './decision.ts';
import { EntityVersions } from './entity-versions.ts';
import { StreamFlush } from './stream-flush.ts';
import { legacyRules, vesRules } from './world-rules.ts';

/**
 * The rules of sequencing (ves-format 9) as one plain function: what is accepted, which number it gets, and what
 * everyone is told. It reads no clock and no log. Where it would need to know something of the log it says so, and
 * is asked again with the answer; so the common case, new events, costs no look-up at all.
 *
 * The requests of one flush are decided in order, as if each had come alone. Both worlds of the store may be among
 * them: they number apart and share the versions of their entities.
 *
 * @param now the wall clock; time given to events never goes back within a store, whatever this says
 * @throws InvariantBroken when a stream has no sequence left
 */
export function decide(
  store: StoreKey,
  state: StoreState,
  requests: readonly AppendRequest[],
  facts: Facts,
  now: Micros,
  sha256: Sha256,
): Decision | Needs {
  const versions = new EntityVersions(facts.versions);
  const shared = { store, versions, sha256 };
  const legacy = new StreamFlush({
    ...shared,
    head: state.heads.legacy,
    facts: facts.legacy,
    rules: legacyRules,
  });
  const ves = new StreamFlush({ ...shared, head: state.heads.ves, facts: facts.ves, rules: vesRules });

  const answers = requests.map((request) =>
    request.world === 'legacy'
      ? legacy.answer(request.requestId, request.events)
      : ves.answer(request.requestId, request.events),
  );

  const streams = [legacy, ves];
  if (versions.needed.size > 0 || streams.some((s) => s.neededEvents.size + s.neededCommands.size > 0)) {
    return {
      kind: 'needs',
      legacy: { events: legacy.neededEvents, commands: legacy.neededCommands },
      ves: { events: ves.neededEvents, commands: ves.neededCommands },
      entities: versions.needed,
    };
  }
  const last = state.lastSequencedAt;
  const sequencedAt = last !== null && last > now ? last : now;
  const changed = legacy.accepted.length + ves.accepted.length > 0;
  return {
    kind: 'decided',
    legacy: legacy.accepted,
    ves: ves.accepted,
    sequencedAt,
    state: changed ? { heads: { legacy: legacy.head, ves: ves.head }, lastSequencedAt: sequencedAt } : state,
    answers,
  };
}
