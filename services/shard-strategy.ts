import { Strategies } from 'moleculer';
import type { ActionEndpoint, Context } from 'moleculer';
import { ownerOf } from '../domain/ring.ts';
import type { StoreKey } from '../domain/types.ts';

type Endpoint = Parameters<InstanceType<typeof Strategies.Base>['select']>[0][number];

/** Actions that go to the owner of the store that their parameters name. */
const routedByStore: ReadonlySet<string> = new Set(['sequencer.append']);

/**
 * Hands the ring to the broker, for all actions: those named above go by the store, the others in turn.
 *
 * It is no strategy of one action, since the broker forgets that: a strategy is not among the things that nodes tell
 * each other of their actions, and of an action that a node first hears of from another, it keeps the default for
 * ever. Nodes with and without the action, or that started in another order, would route differently. The broker's own
 * shard strategy moves half of all keys on a join, and picks at random without a key.
 */
export class StoreOwnerStrategy extends Strategies.RoundRobin {
  /** @throws TypeError when a call that is routed by store names none, since any other choice would be a guess */
  override select(list: Endpoint[], ctx?: Context): Endpoint {
    if (!routedByStore.has((list[0] as Partial<ActionEndpoint>).action?.name ?? ''))
      return super.select(list);
    const store = ctx?.params as Partial<StoreKey> | undefined;
    if (typeof store?.tenantId !== 'string' || typeof store.storeId !== 'string') {
      throw new TypeError('an action routed by store needs tenantId and storeId in its parameters');
    }
    const staying = list.filter((endpoint) => !isLeaving(endpoint));
    const members = staying.length > 0 ? staying : list;
    const owner = ownerOf(
      members.map((endpoint) => endpoint.id),
      store as StoreKey,
    );
    return members.find((endpoint) => endpoint.id === owner)!;
  }
}

/** A node that is about to leave says so in its metadata: its streams go to the others while it still answers. */
function isLeaving({
  node,
}: Endpoint & { readonly node?: { readonly metadata: NodeMetadata | null } }): boolean {
  return node?.metadata?.leaving === true;
}

/** What a node tells the others about itself beside its services. */
export interface NodeMetadata {
  leaving?: boolean;
  /** How often it has joined anew: calls that were under way to it then may have got lost. */
  joins?: number;
}
