/** What a list of NATS URLs says. */
export interface NatsServers {
  /** `host:port` each, without credentials. */
  readonly servers: readonly string[];
  readonly tls: boolean;
  readonly user: string | null;
  readonly password: string | null;
  readonly token: string | null;
}

/** Takes a comma list of URLs apart. @returns a sentence without the values where they can't be used together */
export function parseNatsUrl(list: string): NatsServers | string {
  const texts = list.split(',').map((text) => text.trim());
  if (!texts.every((text) => URL.canParse(text))) {
    return 'NATS_URL holds something that is no URL; it takes nats://user:password@host:port, or tls:// in place of nats://, or several of these with commas between them';
  }
  const urls = texts.map((text) => new URL(text));
  const first = urls[0]!; // A split text has at least one part.
  if (
    urls.some(({ pathname, search, hash }) => !['', '/'].includes(pathname) || search !== '' || hash !== '')
  ) {
    return 'NATS_URL has something behind a port; each URL takes a host, a port and credentials only';
  }
  if (urls.some(({ protocol }) => protocol !== first.protocol)) {
    return 'NATS_URL mixes nats:// and tls://; it takes the same for every server, since one connection is as safe as the weakest';
  }
  if (urls.some(({ username, password }) => username !== first.username || password !== first.password)) {
    return 'NATS_URL has different credentials for its servers; it takes the same for each';
  }
  const name = decoded(first.username);
  const password = decoded(first.password);
  if (name === null || password === null) {
    return 'NATS_URL has credentials with a % that stands for nothing; % itself is written %25';
  }
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port === '' ? defaultPort : port}`),
    tls: first.protocol === 'tls:',
    user: password === '' ? null : name,
    password: password === '' ? null : password,
    token: password === '' && name !== '' ? name : null,
  };
}

const defaultPort = 4222;

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
