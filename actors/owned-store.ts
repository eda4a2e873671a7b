import { LRUCache } from 'lru-cache';
import type { Clock } from '../domain/clock.ts';
import { entityText } from '../domain/sequencing/decision.ts';
import type { AppendRequest, Decision, Needs, StoredRef, StoreState } from '../domain/sequencing/decision.ts';
import type { CommandId, EntityVersion, EventId, World } from '../domain/types.ts';
import type { StoredVesEvent } from '../domain/ves/event.ts';
import type { Claim, EventLog } from '../storage/event-log.ts';
import type { StoredCache } from './stored-cache.ts';

export interface OwnedStoreDependencies {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly stored: StoredCache;
}

/** How long ids are looked up before the append once a repeat was met: each rolled-back append leaves dead rows. */
const lookFirstMs = 10_000;
/** Versions kept for entities that were checked with `base_version`; others need none. */
const versionsKeptMax = 256;

const worlds = ['legacy', 'ves'] as const satisfies World[];

/** What an actor knows of its store while its claim holds, and forgets with it. */
export class OwnedStore {
  readonly claim: Claim;
  state: StoreState;

  private readonly dependencies: OwnedStoreDependencies;
  private lookFirstUntilMs = 0;
  /** Made when the first `base_version` comes, since most stores never send one. */
  private versions: LRUCache<string, EntityVersion> | null = null;

  constructor(claim: Claim, dependencies: OwnedStoreDependencies) {
    this.claim = claim;
    this.dependencies = dependencies;
    this.state = { heads: claim.heads, lastSequencedAt: claim.lastSequencedAt };
  }

  /** Repeats were met: for a while ids are looked up first. */
  expectRepeats(): void {
    this.lookFirstUntilMs = this.dependencies.clock.monotonicMs() + lookFirstMs;
  }

  /** Adds to `known` what memory holds about these requests, and in a while of repeats what the log says of their ids. */
  async recall(requests: readonly AppendRequest[], known: Knowledge): Promise<void> {
    const toLookUp = emptyNeeds();
    const looksFirst = this.dependencies.clock.monotonicMs() < this.lookFirstUntilMs;
    for (const { world, events } of requests) {
      const { events: knownEvents, commands: knownCommands } = known[world];
      for (const event of events) {
        this.recallVersion(event, known);
        const ref = this.dependencies.stored.get(this.claim.storeNumber, world, event.eventId);
        // A stored signed event is needed as a whole, which only the log has.
        if (ref !== undefined && world === 'legacy') known.legacy.events.set(event.eventId, ref);
        const { eventId, commandId } = event;
        if ((looksFirst || ref !== undefined) && !knownEvents.has(eventId))
          toLookUp[world].events.add(eventId);
        if (looksFirst && commandId !== null && !knownCommands.has(commandId)) {
          toLookUp[world].commands.add(commandId);
        }
      }
    }
    await this.learn(toLookUp, known);
  }

  /** Whether these requests can be decided, as far as memory says, without asking the log for anything. */
  needsNoLook(requests: readonly AppendRequest[]): boolean {
    if (this.dependencies.clock.monotonicMs() < this.lookFirstUntilMs) return false;
    const { stored } = this.dependencies;
    const { storeNumber } = this.claim;
    return requests.every(({ world, events }) =>
      events.every(
        ({ eventId, baseVersion }) =>
          baseVersion === null && stored.get(storeNumber, world, eventId) === undefined,
      ),
    );
  }

  /** Asks the log for the facts that a decision lacks. */
  async learn(needs: Needs, known: Knowledge): Promise<void> {
    const { log } = this.dependencies;
    for (const world of worlds) {
      const { events, commands } = needs[world];
      if (events.size > 0) {
        const found =
          world === 'legacy'
            ? await log.findEvents(this.claim, [...events])
            : await log.findVesEvents(this.claim, [...events]);
        const facts: Map<EventId, unknown> = known[world].events;
        for (const eventId of events) facts.set(eventId, found.get(eventId) ?? null);
        if (found.size > 0) this.expectRepeats();
      }
      if (commands.size > 0) {
        const found = await log.findCommands(this.claim, world, [...commands]);
        for (const commandId of commands) known[world].commands.set(commandId, found.get(commandId) ?? null);
      }
    }
    if (needs.entities.size > 0) {
      const names = [...needs.entities.keys()];
      const versions = await log.entityVersions(this.claim, [...needs.entities.values()]);
      this.versions ??= new LRUCache({ max: versionsKeptMax });
      for (const [index, name] of names.entries()) {
        known.versions.set(name, versions[index]!);
        this.versions.set(name, versions[index]);
      }
    }
  }

  /** Moves memory on to a decision that is durable now. */
  remember(decision: Decision): void {
    this.state = decision.state;
    const { stored } = this.dependencies;
    for (const world of worlds) {
      for (const sequenced of decision[world]) {
        stored.add(this.claim.storeNumber, world, sequenced.event.eventId, sequenced);
        this.raiseVersion(sequenced.event);
      }
    }
  }

  private recallVersion(event: AppendRequest['events'][number], known: Knowledge): void {
    if (event.baseVersion === null || this.versions === null) return;
    const entity = entityText(event);
    const version = this.versions.get(entity);
    if (version !== undefined) known.versions.set(entity, version);
  }

  private raiseVersion(event: AppendRequest['events'][number]): void {
    if (this.versions === null) return;
    const entity = entityText(event);
    const version = this.versions.get(entity);
    if (version !== undefined) this.versions.set(entity, (version + 1) as EntityVersion);
  }
}

/** Facts gathered for one flush. */
export class Knowledge {
  readonly legacy = {
    events: new Map<EventId, StoredRef | null>(),
    commands: new Map<CommandId, StoredRef | null>(),
  };
  readonly ves = {
    events: new Map<EventId, StoredVesEvent | null>(),
    commands: new Map<CommandId, StoredRef | null>(),
  };
  readonly versions = new Map<string, EntityVersion>();
}

function emptyNeeds() {
  const ids = () => ({ events: new Set<EventId>(), commands: new Set<CommandId>() });
  return { kind: 'needs' as const, legacy: ids(), ves: ids(), entities: new Map<string, never>() };
}
