import { pathParameter, type RouteDescription } from './description.ts';
import { time } from './samples.ts';
import { absent, answer, flag, integer, list, nullable, number, oneOf, optional, text } from './shape.ts';

const tag = 'node';
const service = oneOf(['stateset-sequencer']);
const version = text('0.1.0');
const health = oneOf(['healthy', 'degraded', 'unhealthy']);
const poolStatus = oneOf(['healthy', 'moderate', 'stressed', 'critical']);
const pool = answer({
  status: poolStatus,
  utilization: text('10.0%'),
  active: integer(1),
  idle: integer(3),
});

export const describeNode = {
  health: {
    id: 'readHealth',
    tag,
    summary: 'Whether the process answers; says nothing about the database',
    who: 'everyone',
    answer: {
      about: 'It does',
      shape: answer({ status: oneOf(['healthy']), service, version, timestamp: time }),
    },
  },
  ready: {
    id: 'readReadiness',
    tag,
    summary: 'Whether requests can be served here',
    who: 'everyone',
    answer: {
      about: 'They can',
      shape: answer({
        status: oneOf(['ready']),
        database: answer({ connected: oneOf([true]), response_time_ms: integer(2) }),
        pool: nullable(pool),
        cluster: oneOf(['alone', 'joined', 'cut off']),
      }),
    },
    refusals: { 503: 'They can not, for the reason that it says' },
  },
  detailed: {
    id: 'readDetailedHealth',
    tag,
    summary: 'How each part of the node is; with status 503 when it can not do its work',
    who: 'admin',
    answer: {
      about: 'How it is',
      alsoWith: 503,
      shape: answer({
        status: health,
        service,
        version,
        timestamp: time,
        components: answer({
          database: answer({
            name: oneOf(['postgresql']),
            status: health,
            message: absent(text('…')),
            response_time_ms: optional(integer(2)),
          }),
          pool: answer({
            status: poolStatus,
            total_connections: integer(4),
            active_connections: integer(1),
            idle_connections: integer(3),
            max_connections: integer(10),
            utilization_percent: number(10),
          }),
          history: answer({
            status: health,
            rolled_back_stores: nullable(integer(0)),
            message: absent(text('…')),
          }),
          leader_election: optional(
            list(
              answer({
                role: oneOf(['commitments', 'retention']),
                leads: flag(true),
                leader: nullable(text('node-1')),
                term: nullable(integer(1)),
                since: nullable(time),
              }),
            ),
          ),
          circuit_breakers: absent(
            list(
              answer({
                name: text('database'),
                state: oneOf(['closed', 'open', 'half_open']),
                successes: integer(120),
                failures: integer(0),
                rejected: integer(0),
                times_opened: integer(0),
                times_closed: integer(0),
                slow_calls: integer(0),
                avg_duration_ms: number(1.204),
              }),
            ),
          ),
        }),
        system: answer({ uptime_secs: integer(61), rust_version: text('node v24.1.0') }),
      }),
    },
  },
  metrics: {
    id: 'readMetrics',
    tag,
    summary: 'What this node counts, in the text format of Prometheus; METRICS_TOKEN is taken as well',
    who: 'admin',
    answer: { about: 'The metrics', shape: null, contentType: 'text/plain; charset=utf-8' },
  },
  document: {
    id: 'readOpenApi',
    tag,
    summary: 'This description, as OpenAPI 3.1',
    who: 'everyone',
    answer: { about: 'The document', shape: { schema: { type: 'object' }, example: { openapi: '3.1.1' } } },
  },
  reference: {
    id: 'showReference',
    tag,
    summary: 'This description as a page for browsers, which needs nothing but this node',
    who: 'everyone',
    answer: { about: 'The page', shape: null, contentType: 'text/html; charset=utf-8' },
  },
  referenceFile: {
    id: 'readReferenceFile',
    tag,
    summary: 'A file that the page is made of',
    who: 'everyone',
    parameters: [pathParameter('file', 'Its name', text('swagger-ui.css'))],
    answer: { about: 'The file', shape: null, contentType: '*/*' },
    refusals: { 404: 'The page needs no such file' },
  },
} as const satisfies Record<string, RouteDescription>;
