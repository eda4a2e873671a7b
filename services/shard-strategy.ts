import { Strategies } from 'moleculer';
import type { Context } from 'moleculer';
import { ownerOf } from '../domain/ring.ts';
import type { StoreKey } from '../domain/types.ts';

type Endpoint = Parameters<InstanceType<typeof Strategies.Base>['select']>[0][number];

/**
 * Hands the ring to the broker: an action with this strategy goes to the owner of the store that its parameters
 * name. The broker's own shard strategy moves half of all keys on a join, and picks at random without a key.
 */
export class StoreOwnerStrategy extends Strategies.Base {
  /** @throws TypeError when the call names no store, since any other choice would be a guess */
  override select(list: Endpoint[], ctx?: Context): Endpoint {
    const store = ctx?.params as Partial<StoreKey> | undefined;
    if (typeof store?.tenantId !== 'string' || typeof store.storeId !== 'string') {
      throw new TypeError('an action routed by store needs tenantId and storeId in its parameters');
    }
    const owner = ownerOf(
      list.map((endpoint) => endpoint.id),
      store as StoreKey,
    );
    return list.find((endpoint) => endpoint.id === owner)!;
  }
}
