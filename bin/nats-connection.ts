import { readFileSync } from 'node:fs';
import { type ConnectionOptions, credsAuthenticator } from 'nats';
import { parseNatsUrl } from '../config/nats-url.ts';
import type { Settings } from '../config/read-settings.ts';
import { InvariantBroken } from '../domain/errors.ts';
import { StartProblem } from './start-problem.ts';

type NatsSettings = Pick<
  Settings,
  | 'natsUrl'
  | 'natsUser'
  | 'natsPassword'
  | 'natsToken'
  | 'natsCreds'
  | 'natsTlsCa'
  | 'natsTlsCert'
  | 'natsTlsKey'
>;

/**
 * Where NATS is and who we are to it, from the settings. Files are read again for every connection, since certificates
 * and credentials are renewed while a node runs.
 *
 * @throws StartProblem when one of the files can't be read
 */
export function natsConnectionOptions(
  settings: NatsSettings,
  { name, inboxPrefix }: { readonly name: string; readonly inboxPrefix: string },
): () => ConnectionOptions {
  const { natsCreds, natsTlsCa, natsTlsCert, natsTlsKey } = settings;
  checkReadable('NATS_CREDS', natsCreds);
  checkReadable('NATS_TLS_CA', natsTlsCa);
  checkReadable('NATS_TLS_CERT', natsTlsCert);
  checkReadable('NATS_TLS_KEY', natsTlsKey);
  const parsed = parseNatsUrl(settings.natsUrl ?? '');
  if (typeof parsed === 'string') throw new InvariantBroken(parsed); // The settings were checked.
  const user = parsed.user ?? settings.natsUser;
  const password = parsed.password ?? settings.natsPassword;
  const token = parsed.token ?? settings.natsToken;
  const isEncrypted = parsed.tls || [natsTlsCa, natsTlsCert].some((file) => file !== null);
  return () => ({
    servers: [...parsed.servers],
    name,
    inboxPrefix,
    ...(user !== null && { user, pass: password ?? '' }),
    ...(token !== null && { token }),
    ...(natsCreds !== null && {
      authenticator: (nonce?: string) => credsAuthenticator(readFileSync(natsCreds))(nonce),
    }),
    ...(isEncrypted && {
      tls: {
        ...(natsTlsCa !== null && { caFile: natsTlsCa }),
        ...(natsTlsCert !== null && { certFile: natsTlsCert }),
        ...(natsTlsKey !== null && { keyFile: natsTlsKey }),
      },
    }),
  });
}

function checkReadable(setting: string, path: string | null): void {
  if (path === null) return;
  try {
    readFileSync(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new StartProblem(
      `${setting} names ${path}, which can't be read (${code ?? message}): check the path and its rights.`,
      {
        cause,
      },
    );
  }
}
