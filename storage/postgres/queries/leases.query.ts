import { formatTimestamp } from '../../../domain/time.ts';
import type { Micros } from '../../../domain/types.ts';
import type { LeaderRole, Lease, LeaseHolder } from '../../leases.ts';
import type { Query } from '../query.ts';

export interface HoldParameters extends LeaseHolder {
  readonly role: LeaderRole;
  readonly leaseMs: number;
}

/**
 * One statement, so that no session is needed from one to the next. Who does not get the lease locks no row. Two first takers
 * may meet: then the second finds no row, since it looked before the first had made it.
 */
export const holdLease: Query<HoldParameters, Lease> = {
  name: 'hold_lease',
  text: `
    with held as (
      update leader_leases
         set node_id = $2, instance_id = $3, expires_at = clock_timestamp() + make_interval(secs => $4::integer / 1000.0),
             term = case when instance_id = $3 then term else term + 1 end,
             since = case when instance_id = $3 then since else clock_timestamp() end
       where role = $1 and (instance_id = $3 or expires_at <= clock_timestamp())
      returning *),
    made as (
      insert into leader_leases (role, node_id, instance_id, term, since, expires_at)
      select $1, $2, $3, 1, clock_timestamp(), clock_timestamp() + make_interval(secs => $4::integer / 1000.0)
       where not exists (select from leader_leases where role = $1)
          on conflict (role) do nothing
      returning *),
    found as (
      select * from held union all select * from made
      union all
      select * from leader_leases where role = $1 and not exists (select from held) and not exists (select from made))
    select node_id, instance_id, term, since,
           (extract(epoch from expires_at - clock_timestamp()) * 1000)::float8 as left_ms from found`,
  values: ({ role, nodeId, instanceId, leaseMs }) => [role, nodeId, instanceId, leaseMs],
  row: (columns) => ({
    nodeId: columns.node_id as string,
    instanceId: columns.instance_id as string,
    term: columns.term as number,
    since: formatTimestamp(columns.since as Micros, '+00:00'),
    leftMs: columns.left_ms as number,
  }),
};

export const releaseLease: Query<{ readonly role: LeaderRole; readonly instanceId: string }, never> = {
  name: 'release_lease',
  text: `update leader_leases set expires_at = clock_timestamp() where role = $1 and instance_id = $2`,
  values: ({ role, instanceId }) => [role, instanceId],
  row: () => undefined as never,
};
