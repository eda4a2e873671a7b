import { startTestServers } from './postgres.ts';

/** Runs once before the tests that need Postgres; their workers inherit the servers' addresses. */
export default async function globalSetup(): Promise<void> {
  const servers = await startTestServers();
  Object.assign(globalThis, { stopTestServers: () => servers.stop() });
}
