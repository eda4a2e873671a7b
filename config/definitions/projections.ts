import { choice, integer } from '../definition.ts';

/** Whether and how fast events become projections. */
export const projectionDefinitions = {
  projectionsEnabled: choice({
    env: 'PROJECTIONS_ENABLED',
    default: 'auto',
    values: ['auto', 'on', 'off'],
    spellings: { true: 'on', 1: 'on', yes: 'on', false: 'off', 0: 'off', no: 'off' },
    why: 'whether this node projects legacy events into the tables that SQL can ask. auto is on unless PAYLOAD_ENCRYPTION_MODE encrypts: what is projected of payloads stands in the database in clear',
  }),
  projectionSharePercent: integer({
    env: 'PROJECTION_SHARE_PERCENT',
    default: 20,
    min: 1,
    max: 100,
    unit: 'per cent',
    why: 'the part of the time in which a node projects while there is something to project; more catches up faster, and takes from Postgres and the node what appends could use. 100 never holds back',
  }),
  projectionBusySharePercent: integer({
    env: 'PROJECTION_BUSY_SHARE_PERCENT',
    default: 2,
    min: 1,
    max: 100,
    unit: 'per cent',
    why: 'the same while the event loop of the node is busy for more than half of the time: projections then fall behind rather than slow appends down',
  }),
  rejectedEventsRetentionDays: integer({
    env: 'REJECTED_EVENTS_RETENTION_DAYS',
    default: 90,
    min: 0,
    max: 36_500,
    unit: 'days',
    why: 'records of refused events (rejected_events_log) that are older are deleted, a thousand at a time, by one elected node; a rebuild of the projections makes them anew. 0 keeps them for ever',
  }),
};
