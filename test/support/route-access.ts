/**
 * Who gets what, route by route: the status with which each kind of caller is answered who sends the example of
 * `/openapi.json` to a store of a tenant. Those of 200 mean that the route does its work.
 */
export const principals = {
  none: 'no credential',
  wrong: 'an API key that nobody made',
  revoked: 'an API key of the tenant with every right, revoked',
  expired: 'a token of the tenant with every right, expired',
  tenant2: 'an API key with every right, of another tenant',
  store2: 'an API key of the tenant with every right, limited to another store',
  read: 'an API key of the tenant that may read',
  write: 'an API key of the tenant that may write',
  admin: 'an API key of the tenant with the admin flag alone',
  agent: 'an API key of the agent in the request, that may read and write',
  agent2: 'an API key of another agent of the tenant, that may read and write',
  boot: 'the bootstrap administrator',
  scraper: '`METRICS_TOKEN`',
} as const;

export type PrincipalKind = keyof typeof principals;

const table = `
                                                               none wrong revoked expired tenant2 store2 read write admin agent agent2 boot scraper
POST /api/v1/events/ingest                                     401  401   401     401     403     403    403  200   403   200   403    200  401
GET /api/v1/events                                             401  401   401     401     403     403    200  403   403   200   200    200  401
GET /api/v1/head                                               401  401   401     401     403     403    200  403   403   200   200    200  401
GET /api/v1/entities/:entity_type/:entity_id                   401  401   401     401     403     403    200  403   403   200   200    200  401
POST /api/v1/ves/events/ingest                                 401  401   401     401     403     403    403  200   403   200   403    200  401
GET /api/v1/ves/events                                         401  401   401     401     403     403    200  403   403   200   200    200  401
GET /api/v1/ves/events/:event_id                               401  401   401     401     403     403    200  403   403   200   200    200  401
GET /api/v1/ves/head                                           401  401   401     401     403     403    200  403   403   200   200    200  401
POST /api/v1/agents/keys                                       401  401   401     401     403     200    403  403   200   403   403    200  401
GET /api/v1/agents/:agent_id/keys                              401  401   401     401     403     200    200  403   200   200   200    200  401
DELETE /api/v1/agents/:agent_id/keys/:key_id                   401  401   401     401     403     200    403  403   200   403   403    200  401
GET /api/v1/sequencer/keys                                     401  401   401     401     200     200    200  200   200   200   200    200  401
POST /api/v1/agents/register                                   200  200   200     200     200     200    200  200   200   200   200    200  200
GET /api/v1/agents/:agent_id                                   401  401   401     401     404     200    403  403   200   200   403    200  401
POST /api/v1/agents/:agent_id/api-keys                         401  401   401     401     404     403    403  403   200   200   403    200  401
GET /api/v1/agents/:agent_id/api-keys                          401  401   401     401     404     200    403  403   200   200   403    200  401
DELETE /api/v1/agents/:agent_id/api-keys/:key_prefix           401  401   401     401     404     200    403  403   200   200   403    200  401
POST /api/v1/admin/tenants/:tenant_id/api-keys                 401  401   401     401     403     403    403  403   200   403   403    200  401
GET /api/v1/admin/tenants/:tenant_id/api-keys                  401  401   401     401     403     200    403  403   200   403   403    200  401
DELETE /api/v1/admin/tenants/:tenant_id/api-keys/:key_prefix   401  401   401     401     403     200    403  403   200   403   403    200  401
GET /api/v1/schemas                                            401  401   401     401     403     200    200  403   403   200   200    200  401
POST /api/v1/schemas                                           401  401   401     401     403     200    403  200   403   200   200    200  401
POST /api/v1/schemas/validate                                  401  401   401     401     403     200    200  403   403   200   200    200  401
GET /api/v1/schemas/:schema_id                                 401  401   401     401     404     200    200  403   403   200   200    200  401
PUT /api/v1/schemas/:schema_id/status                          401  401   401     401     404     200    403  200   403   200   200    200  401
DELETE /api/v1/schemas/:schema_id                              401  401   401     401     404     200    403  403   200   403   403    200  401
GET /api/v1/schemas/event-type/:event_type                     401  401   401     401     403     200    200  403   403   200   200    200  401
GET /api/v1/schemas/event-type/:event_type/latest              401  401   401     401     403     200    200  403   403   200   200    200  401
POST /api/v1/commitments                                       401  401   401     401     403     403    403  200   403   200   200    200  401
GET /api/v1/commitments                                        401  401   401     401     403     403    200  403   403   200   200    200  401
GET /api/v1/commitments/:batch_id                              401  401   401     401     404     404    200  403   403   200   200    200  401
POST /api/v1/proofs/verify                                     401  401   401     401     200     200    200  403   200   200   200    200  401
GET /api/v1/proofs/:sequence_number                            401  401   401     401     403     403    200  403   403   200   200    200  401
GET /api/v1/proofs/:sequence_number/bundle                     401  401   401     401     403     403    200  403   403   200   200    200  401
POST /api/v1/ves/commitments                                   401  401   401     401     403     403    403  200   403   200   200    200  401
GET /api/v1/ves/commitments                                    401  401   401     401     403     403    200  403   403   200   200    200  401
GET /api/v1/ves/commitments/:batch_id                          401  401   401     401     404     404    200  403   403   200   200    200  401
POST /api/v1/ves/proofs/verify                                 401  401   401     401     200     200    200  403   200   200   200    200  401
GET /api/v1/ves/proofs/:sequence_number                        401  401   401     401     403     403    200  403   403   200   200    200  401
GET /api/v1/ves/proofs/:sequence_number/bundle                 401  401   401     401     403     403    200  403   403   200   200    200  401
GET /v1/commitments/pending                                    401  401   401     401     403     403    403  403   403   403   403    200  401
POST /v1/commitments/:batch_id/anchored                        401  401   401     401     403     403    403  403   403   403   403    200  401
GET /api/v1/anchor/status                                      401  401   401     401     200     200    200  403   200   200   200    200  401
GET /api/v1/projections/:entity_type/:entity_id                401  401   401     401     403     403    200  403   403   200   200    200  401
GET /api/v1/admin/projections                                  401  401   401     401     200     200    403  403   200   403   403    200  401
GET /api/v1/admin/dead-letters                                 401  401   401     401     200     200    403  403   200   403   403    200  401
POST /api/v1/admin/dead-letters/:id/retry                      401  401   401     401     404     200    403  403   200   403   403    200  401
DELETE /api/v1/admin/dead-letters/:id                          401  401   401     401     404     200    403  403   200   403   403    200  401
GET /api/v1/admin/overview                                     401  401   401     401     200     200    403  403   200   403   403    200  401
GET /api/v1/admin/tenants                                      401  401   401     401     200     200    403  403   200   403   403    200  401
GET /api/v1/admin/stores                                       401  401   401     401     200     200    403  403   200   403   403    200  401
GET /api/v1/admin/agents                                       401  401   401     401     200     200    403  403   200   403   403    200  401
GET /api/v1/admin/audit                                        401  401   401     401     200     200    403  403   200   403   403    200  401
GET /api/v1/admin/cluster                                      401  401   401     401     403     403    403  403   403   403   403    200  401
GET /admin{/}                                                  200  200   200     200     200     200    200  200   200   200   200    200  200
GET /health                                                    200  200   200     200     200     200    200  200   200   200   200    200  200
GET /ready                                                     200  200   200     200     200     200    200  200   200   200   200    200  200
GET /health/detailed                                           401  401   401     401     200     200    403  403   200   403   403    200  401
GET /metrics                                                   401  401   401     401     200     200    403  403   200   403   403    200  200
GET /openapi.json                                              200  200   200     200     200     200    200  200   200   200   200    200  200
GET /docs{/}                                                   200  200   200     200     200     200    200  200   200   200   200    200  200
GET /docs/:file                                                200  200   200     200     200     200    200  200   200   200   200    200  200
`;

/** By route and kind of caller; the columns are in the order of `principals`. */
export const routeAccess: Readonly<Record<string, Readonly<Record<string, number>>>> = Object.fromEntries(
  table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [method = '', path = '', ...cells] = line.trim().split(/ +/);
      const kinds = Object.keys(principals);
      if (cells.length !== kinds.length) throw new Error(`a cell is missing or too many: ${line}`);
      return [
        `${method} ${path}`,
        Object.fromEntries(kinds.map((kind, index) => [kind, Number(cells[index])])),
      ];
    }),
);
