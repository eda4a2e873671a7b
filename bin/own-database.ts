import { BadSettings, readSettings } from '../config/read-settings.ts';
import { openEmbeddedPostgres } from '../storage/embedded/embedded-postgres.ts';
import { openDataDir } from './data-dir.ts';
import { StartProblem } from './start-problem.ts';

/** Enough for a command; a node has more. */
const connectionsMax = 100;

/**
 * The database that a node with this environment would use. The embedded one is started for as long as it is needed.
 * @throws StartProblem when it can't be had, for one because a node is using it
 */
export async function ownDatabase(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const settings = settingsOrProblem();
  // Commands use whole sessions, which a pooler does not lend.
  const url = settings.directDatabaseUrl ?? settings.databaseUrl;
  if (url !== null) return { url, close: () => Promise.resolve() };
  const dataDir = await openDataDir(settings.dataDir);
  try {
    const postgres = await openEmbeddedPostgres({
      dataDir: dataDir.path,
      connectionsMax,
      onProgress: () => undefined,
    });
    return {
      url: postgres.url,
      close: async () => {
        await postgres.stop();
        await dataDir.release();
      },
    };
  } catch (error) {
    await dataDir.release();
    throw error;
  }
}

function settingsOrProblem(): ReturnType<typeof readSettings> {
  try {
    return readSettings();
  } catch (error) {
    if (error instanceof BadSettings) throw new StartProblem(error.message, { cause: error });
    throw error;
  }
}
