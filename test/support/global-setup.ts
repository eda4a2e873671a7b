import { installNatsServer } from '../../bin/driver/nats-server.ts';
import { startTestServers } from './postgres.ts';

/** Runs once before the tests that need Postgres or NATS; their workers inherit the servers' addresses. */
export default async function globalSetup(): Promise<void> {
  installNatsServer(); // Here, since two workers can't install at a time.
  const servers = await startTestServers();
  Object.assign(globalThis, { stopTestServers: () => servers.stop() });
}
