import { nameFault, nameLimits } from '../../../domain/check-request.ts';
import { ProjectionRebuilding, Refused } from '../../../domain/errors.ts';
import { writeExactJson } from '../../../domain/projections/exact-json.ts';
import { projectors } from '../../../domain/projections/project.ts';
import type { Projections } from '../../../storage/projections.ts';
import { jsonReply, jsonTextReply, type Reply } from '../reply.ts';
import type { ProtectedRequest } from '../route.ts';
import { adminRowsMax, adminTime, visibleTenant } from './admin-lists.ts';
import { permittedStore } from './reading.ts';

type Handle = (request: ProtectedRequest) => Promise<Reply>;

/** About what a state of the greatest length takes: as a row, as an object, and as an answer. */
const stateBytesMax = 2_097_152;

/** One entity as the events projected so far have made it. */
export function readProjection(projections: Pick<Projections, 'readEntity'>): Handle {
  return async (request) => {
    const store = permittedStore(request.query(), request.principal, 'read');
    const entityType = request.pathParameter('entity_type');
    const entityId = request.pathParameter('entity_id');
    if (!projectors.has(entityType)) {
      const known = [...projectors.keys()].join(', ');
      throw new Refused(
        'INVALID_QUERY',
        `the path parameter entity_type is none that is projected: ${known}`,
      );
    }
    const fault = nameFault(entityId, nameLimits.entityId.bytesMax);
    if (fault !== null) throw new Refused('INVALID_QUERY', `the path parameter entity_id ${fault}`);
    request.reserve(stateBytesMax);
    const { entity, projectedTo, rebuildingTo } = await projections.readEntity(store, {
      entityType,
      entityId,
    });
    if (entity === null) {
      if (rebuildingTo !== null) {
        throw new ProjectionRebuilding('the projections of this store are being made again', {
          rebuildingTo,
        });
      }
      throw new Refused('NOT_FOUND', `nothing is projected for this ${entityType}`);
    }
    const { version, lastSequence, state } = entity;
    return jsonTextReply(
      writeExactJson({
        tenant_id: store.tenantId,
        store_id: store.storeId,
        entity_type: entityType,
        entity_id: entityId,
        version,
        last_sequence: lastSequence,
        projected_to: projectedTo,
        rebuilding: rebuildingTo !== null,
        state,
      }),
    );
  };
}

/** How far each stream is projected, those furthest behind first; or those alone that stand still. */
export function listProjectionStreams(
  projections: Pick<Projections, 'listStreams' | 'listStalledStreams'>,
): Handle {
  return async (request) => {
    const tenantId = visibleTenant(request.principal);
    const streams = request.query().flag('stalled')
      ? await projections.listStalledStreams(tenantId, null, adminRowsMax)
      : await projections.listStreams(tenantId, null, adminRowsMax);
    return jsonReply(
      streams.map((stream) => ({
        tenantId: stream.tenantId,
        storeId: stream.storeId,
        headSequence: stream.head,
        lastProjectedSequence: stream.lastSequence,
        projectionLag: stream.head - stream.lastSequence,
        rebuildingTo: stream.rebuildingTo,
        applied: stream.applied,
        refused: stream.refused,
        skipped: stream.skipped,
        deadLetters: stream.deadLetters,
        updatedAt: adminTime(stream.updatedAt),
        waitingSince: adminTime(stream.waitingSince),
      })),
    );
  };
}
