import type { StoreKey } from '../../../domain/types.ts';
import { type JsonObject, parseExactJson } from '../../../domain/projections/exact-json.ts';
import type { EntityState } from '../../../domain/projections/project.ts';
import type { EntityName, EntityReading } from '../../projections.ts';
import type { Query } from '../query.ts';

export const readProjectedEntities: Query<
  { readonly storeNumber: number; readonly entities: readonly EntityName[] },
  EntityName & EntityState
> = {
  name: 'read_projected_entities',
  text: `
    select p.entity_type, p.entity_id, p.version, p.state::text as state
      from unnest($2::text[], $3::text[]) as e (entity_type, entity_id)
      join projected_entities p
        on p.store_number = $1 and p.entity_type = e.entity_type and p.entity_id = e.entity_id`,
  values: ({ storeNumber, entities }) => [
    storeNumber,
    entities.map(({ entityType }) => entityType),
    entities.map(({ entityId }) => entityId),
  ],
  row: (columns) => ({
    entityType: columns.entity_type as string,
    entityId: columns.entity_id as string,
    version: columns.version as number,
    state: readState(columns.state),
  }),
};

/** A row for every store, be there an entity or not. */
export const readProjectedEntity: Query<StoreKey & EntityName, EntityReading> = {
  name: 'read_projected_entity',
  text: `
    select coalesce(c.last_sequence, 0) as projected_to,
           case when c.rebuilding_to > c.last_sequence then c.rebuilding_to end as rebuilding_to,
           p.version, p.last_sequence, p.state::text as state
      from streams s
      left join projection_checkpoints c using (store_number)
      left join projected_entities p
        on p.store_number = s.store_number and p.entity_type = $3 and p.entity_id = $4
     where s.tenant_id = $1 and s.store_id = $2`,
  values: ({ tenantId, storeId, entityType, entityId }) => [tenantId, storeId, entityType, entityId],
  row: (columns) => ({
    entity:
      columns.state === null
        ? null
        : {
            version: columns.version as number,
            lastSequence: columns.last_sequence as number,
            state: readState(columns.state),
          },
    projectedTo: columns.projected_to as number,
    rebuildingTo: columns.rebuilding_to as number | null,
  }),
};

/** What `advance` wrote is an object. */
function readState(text: unknown): JsonObject {
  return parseExactJson(text as string) as JsonObject;
}
