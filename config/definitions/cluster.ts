import { integer, secret, text } from '../definition.ts';

const path = { accepts: 'the path of a file', pattern: /^\P{Cc}+$/u } as const;

/** How nodes find each other, and what they send each other. */
export const clusterDefinitions = {
  natsUrl: secret({
    env: 'NATS_URL',
    default: null,
    accepts: 'a comma list of URLs that begin with nats:// or tls://',
    pattern: /^(nats|tls):\/\/[^\s,]+(\s*,\s*(nats|tls):\/\/[^\s,]+)*$/,
    why: 'the NATS servers through which the nodes of a cluster find and call each other; unset, the node is alone. Whoever reaches NATS can append, so production wants credentials and TLS. A user and password, or a token, may stand in the URL; with several URLs in each of them the same. With TLS, name the servers by the host names in their certificates, not by address',
  }),
  natsUser: text({
    env: 'NATS_USER',
    default: null,
    accepts: 'the name of a user',
    pattern: /./,
    why: 'as whom to connect to NATS, in place of a user in NATS_URL',
  }),
  natsPassword: secret({
    env: 'NATS_PASSWORD',
    default: null,
    accepts: 'a password',
    pattern: /./,
    why: 'the password of NATS_USER',
  }),
  natsToken: secret({
    env: 'NATS_TOKEN',
    default: null,
    accepts: 'a token',
    pattern: /./,
    why: 'for NATS servers that ask for a token and no user',
  }),
  natsCreds: text({
    env: 'NATS_CREDS',
    default: null,
    ...path,
    why: 'a credentials file of NATS (a JWT and its seed), for servers that ask for one; read again at every connection',
  }),
  natsTlsCa: text({
    env: 'NATS_TLS_CA',
    default: null,
    ...path,
    why: 'the certificates (PEM) that vouch for the NATS servers, in place of those that Node.js knows; turns TLS on',
  }),
  natsTlsCert: text({
    env: 'NATS_TLS_CERT',
    default: null,
    ...path,
    why: "the node's own certificate (PEM), for NATS servers that ask for one; turns TLS on",
  }),
  natsTlsKey: text({
    env: 'NATS_TLS_KEY',
    default: null,
    ...path,
    why: 'the key (PEM) of NATS_TLS_CERT',
  }),
  nodeCallsInFlightMax: integer({
    env: 'NODE_CALLS_IN_FLIGHT_MAX',
    default: 2_000,
    min: 1,
    max: 1_000_000,
    unit: 'calls',
    why: 'calls to one other node that may wait for their answers; a request beyond it gets 503 and Retry-After, so that a slow node does not tie up the others',
  }),
  nodeBytesInFlightMax: integer({
    env: 'NODE_BYTES_IN_FLIGHT_MAX',
    default: { from: () => 33_554_432, text: '33554432, at least MAX_BODY_SIZE_BYTES' },
    min: 65_536,
    max: 1_000_000_000_000,
    unit: 'bytes',
    why: 'the same bound in bytes of request bodies. A NATS server cuts off a reader that lags by more than 64 MiB unless told otherwise, so stay below that',
  }),
  nodePartialBytesMax: integer({
    env: 'NODE_PARTIAL_BYTES_MAX',
    default: { from: () => 134_217_728, text: '134217728, at least twice MAX_BODY_SIZE_BYTES' },
    min: 65_536,
    max: 1_000_000_000_000,
    unit: 'bytes',
    why: 'messages longer than the max_payload of NATS come in parts; those of which parts are missing may take this much memory, and one that finds no room is lost, so that its caller tries again',
  }),
  nodeSilenceMs: integer({
    env: 'NODE_SILENCE_MS',
    default: 2_500,
    min: 1_500,
    max: 60_000,
    unit: 'milliseconds',
    why: 'a node not heard of for this long (each is to be heard twice a second) is taken for gone and others claim its streams; less finds a frozen node sooner, and takes a busy one for frozen. A node that ended, or lost its connection, is found out at once',
  }),
};
