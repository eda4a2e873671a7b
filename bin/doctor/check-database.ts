import { LogUnfit } from '../../domain/errors.ts';
import { indexesOfMigrations, postgresDiagnosis } from '../../storage/postgres/diagnosis.ts';
import { checkSchema } from '../../storage/postgres/migrate.ts';
import { createPool } from '../../storage/postgres/pool.ts';
import { scanSession } from '../scan-database.ts';
import { type Finding, ok, problem } from './finding.ts';
import { judgeClock } from './judge-clock.ts';
import { judgeServer, type PoolSizes } from './judge-server.ts';
import { judgeBacklog, judgeIndexes, judgeReplicas, judgeTables } from './judge-tables.ts';

const statementTimeoutMs = 30_000;

export interface DatabaseExpectations extends PoolSizes {
  readonly commitmentEverySecs: number;
}

/** Everything about a database. It only reads. */
export async function checkDatabase(url: string, expected: DatabaseExpectations): Promise<Finding[]> {
  const pool = createPool({
    ...scanSession(url),
    statementTimeoutMs,
    connectionsMax: 1,
    connectionsMin: 0,
    acquireTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    lifetimeMaxMs: 600_000,
    log: { warn: () => undefined },
  });
  try {
    const diagnosis = postgresDiagnosis(pool);
    await diagnosis.tables(); // Opens the session, which must not count as time that the clock's answer took.
    const askedMs = Date.now();
    const server = await diagnosis.server();
    const answeredMs = Date.now();
    const findings = [
      ...judgeServer(server, expected),
      judgeClock('Postgres', { askedMs, answeredMs, clockMs: server.clockMs }),
      ...judgeReplicas(await diagnosis.replicas()),
      ...judgeTables(await diagnosis.tables()),
    ];
    const schema = await checkMigrations(url);
    if (schema.level === 'problem') return [...findings, schema]; // What follows reads our tables.
    return [
      ...findings,
      schema,
      ...judgeIndexes(await diagnosis.indexes(), await indexesOfMigrations()),
      ...judgeBacklog(await diagnosis.backlog(), expected.commitmentEverySecs),
    ];
  } catch (error) {
    return [
      problem(
        `the database does not answer: ${(error as Error).message}`,
        'without it nothing is appended or read',
        'check the address and the credentials, and whether Postgres runs',
      ),
    ];
  } finally {
    await pool.end();
  }
}

async function checkMigrations(url: string): Promise<Finding> {
  try {
    await checkSchema({ url, applicationName: 'sequencer-doctor' });
    return ok('the migrations of this version are applied, and no others');
  } catch (error) {
    if (!(error instanceof LogUnfit)) throw error;
    return problem(
      error.message,
      'a node of this version refuses to start, or migrates first',
      'start a node of this version with DB_MIGRATE_ON_STARTUP, or run the doctor of the version that runs',
    );
  }
}
