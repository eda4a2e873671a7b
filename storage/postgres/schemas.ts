import type pg from 'pg';
import type { Schemas } from '../schemas.ts';
import { countSchemaEventTypes } from './queries/count-schema-event-types.query.ts';
import { deleteSchema } from './queries/delete-schema.query.ts';
import { findSchemaVersion } from './queries/find-schema-version.query.ts';
import { findSchema } from './queries/find-schema.query.ts';
import { insertSchema } from './queries/insert-schema.query.ts';
import { listActiveSchemas } from './queries/list-active-schemas.query.ts';
import { listSchemas } from './queries/list-schemas.query.ts';
import { schemaRevision } from './queries/schema-revision.query.ts';
import { setSchemaStatus } from './queries/set-schema-status.query.ts';
// As for API keys, the changes go the way of reads: what became of one that got no answer can be read.
import { type Query, read as run } from './query.ts';
import { theRevision } from './revision.ts';

/** The schemas in Postgres; the pool must lead to the primary, since a replica shows changes late. */
export function postgresSchemas(pool: Pick<pg.Pool, 'query'>): Schemas {
  const one = async <Parameters, Row>(query: Query<Parameters, Row>, parameters: Parameters) => {
    const [row] = await run(pool, query, parameters);
    return row ?? null;
  };
  return {
    find: (id, tenantId) => one(findSchema, { id, tenantId }),
    list: (tenantId, limit) => run(pool, listSchemas, { tenantId, eventType: null, limit }),
    listVersions: (subject, limit) => run(pool, listSchemas, { ...subject, limit }),
    findVersion: (subject, version) => one(findSchemaVersion, { ...subject, version }),
    findActive: (subject) => one(findSchemaVersion, { ...subject, version: null }),
    listActive: (tenantId, limit) => run(pool, listActiveSchemas, { tenantId, limit }),
    countEventTypes: async (tenantId) => (await one(countSchemaEventTypes, tenantId)) ?? 0,
    register: (schema) => one(insertSchema, schema),
    setStatus: (id, tenantId, status) => one(setSchemaStatus, { id, tenantId, status }),
    remove: (id, tenantId) => one(deleteSchema, { id, tenantId }),
    revision: () => theRevision(pool, schemaRevision),
  };
}
