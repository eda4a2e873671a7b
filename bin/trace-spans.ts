import type { FlushFacts } from '../actors/sequencer.actor.ts';
import type { StoredCommitment } from '../storage/commitment-log.ts';
import type { Tracing } from '../telemetry/tracing.ts';

/**
 * The spans of a flush, which serves many requests: it is a part of the first, and linked to all. Made when it is over, since
 * the actor knows nothing of traces.
 */
export function recordFlush(tracing: Tracing, facts: FlushFacts): void {
  const { requests, events, durationMs, ageMs, appendMs, traceparents } = facts;
  if (traceparents.length === 0) return;
  const flush = tracing.record('flush', {
    parent: traceparents[0],
    links: traceparents,
    startedMsAgo: durationMs,
    durationMs,
    attributes: {
      'sequencer.requests': requests,
      'sequencer.events': events,
      'sequencer.waited_ms': ageMs,
      'sequencer.claimed': facts.claimed !== null,
    },
  });
  tracing.record('append', {
    kind: 'client',
    parent: flush,
    startedMsAgo: appendMs,
    durationMs: appendMs,
    attributes: { 'db.system.name': 'postgresql', 'sequencer.events': events },
  });
}

/** A commitment is a trace of its own: most are made unasked. */
export function recordCommitment(
  tracing: Tracing,
  { world, leafCount }: Pick<StoredCommitment, 'world' | 'leafCount'>,
  durationMs: number,
): void {
  tracing.record('make a commitment', {
    startedMsAgo: durationMs,
    durationMs,
    attributes: { 'sequencer.world': world, 'sequencer.events': leafCount },
  });
}
