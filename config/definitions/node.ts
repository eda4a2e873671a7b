import { integer, list, text } from '../definition.ts';

const services = ['gateway', 'sequencer', 'commitment', 'projection'] as const;
export type ServiceName = (typeof services)[number];

/** What this node is, and which others it works with. */
export const nodeDefinitions = {
  dataDir: text({
    env: 'DATA_DIR',
    default: '.data',
    accepts: 'the path of a directory, from the working directory when relative',
    // eslint-disable-next-line no-control-regex -- no path may hold U+0000, and line breaks break our own files
    pattern: /^[^\u0000\r\n]+$/,
    why: "what the node keeps: the embedded database, its password, the generated admin key, the key that signs receipts, the node's name and the last events that it acknowledged. One node at a time",
  }),
  nodeId: text({
    env: 'NODE_ID',
    default: { from: () => null, text: 'the host name and a random part kept in DATA_DIR' },
    accepts: '1 to 64 letters, digits, hyphens and underscores, with single dots between them',
    pattern: /^(?=.{1,64}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/,
    why: 'names the node in the cluster, in logs and as the claimant of streams; a node does not join while another of its name lives',
  }),
  nodeServices: list<ServiceName>({
    env: 'NODE_SERVICES',
    default: services,
    accepts: `a comma list of ${services.join(', ')}`,
    isItem: (item): item is ServiceName => services.some((service) => service === item),
    why: 'which parts run here, so that gateways, sequencers, the making of commitments and that of projections can be scaled apart; /health and /ready answer on every node',
  }),
};

/** How events are gathered, bounded and appended. */
export const sequencingDefinitions = {
  appendTimeoutMs: integer({
    env: 'APPEND_TIMEOUT_MS',
    default: { from: () => 10_000, text: '10000, less when REQUEST_TIMEOUT_SECS is short' },
    min: 100,
    max: 600_000,
    unit: 'milliseconds',
    why: 'an append without an answer for this long is reported as unknown (504), and the stream is read again from the log',
  }),
  flushBytesMax: integer({
    env: 'FLUSH_BYTES_MAX',
    default: 4_194_304,
    min: 65_536,
    max: 67_108_864,
    unit: 'bytes',
    why: 'larger gathers more events in a round trip, and makes every stream in it wait longer',
  }),
  flushEventsMax: integer({
    env: 'FLUSH_EVENTS_MAX',
    default: 2_000,
    min: 1,
    max: 100_000,
    unit: 'events',
    why: 'the same bound for small events, whose cost is by the row and not by the byte',
  }),
  tenantShareBytesMax: integer({
    env: 'TENANT_SHARE_BYTES_MAX',
    default: 131_072,
    min: 1,
    max: 1_000_000_000_000,
    unit: 'bytes',
    why: 'how much of the requests of one tenant is read, sequenced and appended at once while other tenants append too; a larger request goes alone. Less makes the others wait less beside a tenant that posts at full speed, and slows that one down',
  }),
  mailboxCommandsMax: integer({
    env: 'MAILBOX_COMMANDS_MAX',
    default: 1_000,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    why: 'requests of one store that may wait for its next append; the one after gets 503 and Retry-After',
  }),
  mailboxBytesMax: integer({
    env: 'MAILBOX_BYTES_MAX',
    default: { from: () => 134_217_728, text: '134217728, at least MAX_BODY_SIZE_BYTES' },
    min: 65_536,
    max: 1_000_000_000_000,
    unit: 'bytes',
    why: 'the same bound in bytes, so that one store can not take the whole of MAX_BYTES_IN_FLIGHT',
  }),
  liveActorsMax: integer({
    env: 'LIVE_ACTORS_MAX',
    default: 100_000,
    min: 1,
    max: 10_000_000,
    unit: 'stores',
    why: 'stores held in memory at once; an idle one makes room for the next, and when all are busy the request gets 503',
  }),
  actorIdleTimeoutSecs: integer({
    env: 'ACTOR_IDLE_TIMEOUT_SECS',
    default: 300,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    why: 'a store without requests for this long leaves memory; its next request pays one round trip to claim it again',
  }),
  knownHeadsMax: integer({
    env: 'KNOWN_HEADS_MAX',
    default: 200_000,
    min: 1,
    max: 10_000_000,
    unit: 'stores',
    why: 'stores of which DATA_DIR keeps the last acknowledged events, so that a database restored from an older state is noticed (docs/backup-restore.md); about 250 bytes of memory and 124 of disk each. Beyond it, the one appended to longest ago is forgotten',
  }),
  recentIdsMax: integer({
    env: 'RECENT_IDS_MAX',
    default: 50_000,
    min: 1,
    max: 10_000_000,
    unit: 'ids',
    why: 'ids of stored events, of all streams together, kept in memory to answer a repeat without asking Postgres, which answers the same without them',
  }),
};
