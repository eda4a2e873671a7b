const localHosts = [
  '',
  'localhost',
  '127.0.0.1',
  '[::1]',
  'postgres',
  'postgres-replica',
  'host.docker.internal',
];
const loopbackHosts = ['', 'localhost', '127.0.0.1', '[::1]'];
const tlsModes = ['require', 'verify-ca', 'verify-full'];

/**
 * What is wrong with a database URL, as a sentence without its values, or null.
 *
 * A connection without TLS is for this machine only: outside production loopback and sockets need no permission,
 * the other local names (a compose network's) and production need ALLOW_INSECURE_LOCAL_DB.
 */
export function problemOfDatabaseUrl(
  url: string,
  {
    name = 'DATABASE_URL',
    production,
    allowInsecureLocal,
  }: { name?: string; production: boolean; allowInsecureLocal: boolean },
): string | null {
  if (!URL.canParse(url)) return `${name} is not a URL; it takes postgres://user:password@host:port/database`;
  const { hostname, searchParams } = new URL(url);
  // Of parameters that are given twice the driver takes the last.
  const sslMode = searchParams.getAll('sslmode').at(-1);
  if (sslMode !== undefined && tlsModes.includes(sslMode)) return null;

  // A `host` parameter overrules the host of the URL: a path is a socket, anything else is a host like any other.
  const parameter = searchParams.getAll('host').at(-1) ?? '';
  const host = parameter === '' ? hostname.toLowerCase() : parameter.startsWith('/') ? '' : parameter;
  if (allowInsecureLocal && localHosts.includes(host)) return null;
  if (!production && loopbackHosts.includes(host)) return null;

  const wayOut = `add sslmode=require, verify-ca or verify-full to it`;
  return localHosts.includes(host)
    ? `${name} asks for no TLS; ${wayOut}, or set ALLOW_INSECURE_LOCAL_DB=true since the host is local`
    : `${name} asks for no TLS; ${wayOut}`;
}
