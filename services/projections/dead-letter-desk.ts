import { PayloadUnreadable, Refused } from '../../domain/errors.ts';
import type { TenantId, Uuid } from '../../domain/types.ts';
import type { DeadLetter, DeadLetterFilter, DeadLetterPage, Projections } from '../../storage/projections.ts';
import type { StreamProjector } from './stream-projector.ts';

export interface DeadLetterDeskDependencies {
  readonly projections: Pick<
    Projections,
    'claimDeadLetter' | 'discardDeadLetter' | 'findDeadLetter' | 'listDeadLetters'
  >;
  readonly projector: Pick<StreamProjector, 'retry'>;
  readonly onDiscarded: () => void;
}

/** Whoever tries has this long before another may. */
const claimSecs = 60;

/** What people do with dead letters, each of which belongs to a tenant; a null tenant is all of them. */
export class DeadLetterDesk {
  private readonly deps: DeadLetterDeskDependencies;

  constructor(deps: DeadLetterDeskDependencies) {
    this.deps = deps;
  }

  list(filter: DeadLetterFilter, page: DeadLetterPage): Promise<DeadLetter[]> {
    return this.deps.projections.listDeadLetters(filter, page);
  }

  /** @throws Refused when there is none, or not of this tenant */
  async find(id: Uuid, tenantId: TenantId | null): Promise<DeadLetter> {
    const found = await this.deps.projections.findDeadLetter(id);
    if (found === null || (tenantId !== null && found.tenantId !== tenantId)) {
      throw new Refused('NOT_FOUND', `there is no dead letter ${id}`);
    }
    return found;
  }

  /**
   * Tries it now, also one that has failed for good.
   * @returns the dead letter as it is afterwards: resolved, or with the reason of the new refusal
   * @throws Refused when there is none, when it was applied before, and while another is trying it
   */
  async retry(id: Uuid, tenantId: TenantId | null): Promise<DeadLetter> {
    const { projections, projector } = this.deps;
    const { status } = await this.find(id, tenantId);
    const claimed = await projections.claimDeadLetter(id, claimSecs);
    if (claimed === null) throw busy(id, status === 'resolved' ? 'was applied already' : 'is being tried');
    try {
      await projector.retry(claimed);
    } catch (error) {
      if (error instanceof PayloadUnreadable) throw new Refused('CONFLICT', error.message, error.data);
      throw error;
    }
    return this.find(id, tenantId);
  }

  /**
   * Deletes it: the event stays in its stream, and changes nothing.
   * @throws Refused when there is none, and while it is being tried
   */
  async discard(id: Uuid, tenantId: TenantId | null): Promise<DeadLetter> {
    const { projections, onDiscarded } = this.deps;
    await this.find(id, tenantId);
    const discarded = await projections.discardDeadLetter(id);
    if (discarded === null) throw busy(id, 'is being tried');
    onDiscarded();
    return discarded;
  }
}

function busy(id: Uuid, sentence: string): Refused {
  return new Refused('CONFLICT', `the dead letter ${id} ${sentence}`, { id });
}
