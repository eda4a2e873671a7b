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
  private readonly raised = new Map<string, number>();

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
    return version + (this.raised.get(text) ?? 0);
  }

  raise(entity: EntityKey): void {
    const text = entityText(entity);
    this.raised.set(text, (this.raised.get(text) ?? 0) + 1);
  }
}
