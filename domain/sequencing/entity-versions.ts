import type { EntityVersion } from '../types.ts';
import { entityText } from './decision.ts';

interface EntityKey {
  readonly entityType: string;
  readonly entityId: string;
}

/** Entity versions as a flush goes on: those at the state's heads, raised by what it has accepted in either world. */
export class EntityVersions {
  readonly needed = new Map<string, EntityKey>();
  private readonly known: ReadonlyMap<string, EntityVersion>;
  private readonly accepted: EntityKey[] = [];
  /** How often each entity was accepted, as far as somebody asked. */
  private readonly raised = new Map<string, number>();
  private raisedUpTo = 0;

  constructor(known: ReadonlyMap<string, EntityVersion>) {
    this.known = known;
  }

  /** The version at this point of the flush, or null after noting that it must be asked for. */
  find(entity: EntityKey): number | null {
    const text = entityText(entity);
    const version = this.known.get(text);
    if (version === undefined) {
      this.needed.set(text, { entityType: entity.entityType, entityId: entity.entityId });
      return null;
    }
    this.countAccepted();
    return version + (this.raised.get(text) ?? 0);
  }

  raise(entity: EntityKey): void {
    this.accepted.push(entity);
  }

  /** Put off until a version is asked for: most flushes have no event with a `base_version`. */
  private countAccepted(): void {
    for (; this.raisedUpTo < this.accepted.length; this.raisedUpTo++) {
      const text = entityText(this.accepted[this.raisedUpTo]!);
      this.raised.set(text, (this.raised.get(text) ?? 0) + 1);
    }
  }
}
