import type { Backlog, IndexState, ReplicaState, TableState } from '../../storage/diagnosis.ts';
import { advice, type Finding, ok, problem } from './finding.ts';

const unusedBytesMin = 104_857_600;
const deadRowsMin = 10_000;
const deadShareMax = 0.2;
const replicaProblemSecs = 60;
const replicaAdviceSecs = 5;
/** The counter waits for a quiet moment up to a million (storage/postgres/entity-counter.ts), and then takes its time. */
const uncountedMax = 2_000_000;

/** @param expected the names that migrations give */
export function judgeIndexes(indexes: readonly IndexState[], expected: readonly string[]): Finding[] {
  const missing = expected.filter((name) => !indexes.some((index) => index.name === name));
  const invalid = indexes.filter(({ isValid }) => !isValid);
  const unused = indexes.filter(
    ({ isUnique, scans, bytes }) => !isUnique && scans === 0 && bytes >= unusedBytesMin,
  );
  const findings = [
    ...missing.map((name) =>
      problem(
        `the index ${name} is missing`,
        'a statement that needs it reads whole tables, and what a unique one upholds no longer holds',
        'make it as migrations/ has it, with "create index concurrently"',
      ),
    ),
    ...invalid.map(({ name, table }) =>
      problem(
        `the index ${name} of ${table} is invalid`,
        'it is written to and never read: an attempt to build it concurrently failed',
        `reindex index concurrently ${name}`,
      ),
    ),
    ...unused.map(({ name, table }) =>
      advice(
        `the index ${name} of ${table} was not read since statistics began`,
        'every append writes to it',
        'leave it when the statistics are young or replicas use it; tell us otherwise',
      ),
    ),
  ];
  return findings.length > 0 ? findings : [ok(`${indexes.length} indexes are there, and valid`)];
}

export function judgeTables(tables: readonly TableState[]): Finding[] {
  const bloated = tables.filter(
    ({ deadRows, liveRows }) => deadRows >= deadRowsMin && deadRows > liveRows * deadShareMax,
  );
  if (bloated.length === 0) return [ok('no table has many dead rows')];
  return bloated.map(({ name, deadRows, liveRows, vacuumedSecsAgo }) =>
    advice(
      `${name} has ${deadRows} dead rows beside ${liveRows}; ${vacuumedSecsAgo === null ? 'it was never vacuumed' : `the last vacuum was ${Math.round(vacuumedSecsAgo)} s ago`}`,
      'readers step over dead rows, and the table grows',
      `vacuum (verbose) ${name}; if they stay, look for old transactions, replication slots and autovacuum settings`,
    ),
  );
}

export function judgeReplicas(replicas: readonly ReplicaState[]): Finding[] {
  if (replicas.length === 0) return [ok('no standby is connected')];
  return replicas.map(({ name, state, lagBytes, lagSecs }) => {
    const what = `the standby ${name} (${state}) is ${lagBytes} bytes and ${lagSecs.toFixed(1)} s behind`;
    if (lagSecs < replicaAdviceSecs) return ok(what);
    const say = lagSecs < replicaProblemSecs ? advice : problem;
    return say(
      what,
      'what it lacks is lost when it is promoted',
      'look at its disk, network and long queries',
    );
  });
}

/** @param commitmentEverySecs as COMMITMENT_EVERY_SECS; 0 says nothing of what commitments should be like */
export function judgeBacklog(
  { uncountedEventsMax, commitments }: Backlog,
  commitmentEverySecs: number,
): Finding[] {
  const { uncommittedEvents, oldestSecs } = commitments;
  const counting = `the store furthest behind has ${uncountedEventsMax} events that are not in its entity counts`;
  const lag = `${uncommittedEvents} events wait for a commitment, the oldest for ${Math.round(oldestSecs)} s`;
  const isLate = commitmentEverySecs > 0 && oldestSecs > 3 * commitmentEverySecs;
  return [
    uncountedEventsMax <= uncountedMax
      ? ok(counting)
      : advice(
          counting,
          'versions of entities are counted over what is behind, exact but slower',
          'it catches up when its owner has a quiet second; see the log of its owner if it does not',
        ),
    isLate
      ? problem(
          lag,
          `COMMITMENT_EVERY_SECS is ${commitmentEverySecs}`,
          'see whether nodes with the service commitment run, and their logs',
        )
      : ok(lag),
  ];
}
