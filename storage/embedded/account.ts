import { stat } from 'node:fs/promises';

import { LogUnfit } from '../../domain/errors.ts';
import { type Account, runProgram } from './run-program.ts';

const userName = 'postgres';

/**
 * The user that runs Postgres, which refuses to run as root: the owner of the data when there is some, else the
 * system user `postgres`, which is made when it is missing. Anyone but root runs it as themselves.
 * @throws LogUnfit when the user is missing and can't be made
 */
export async function postgresAccount(dataDirectory: string): Promise<Account> {
  if (process.getuid?.() !== 0) return null;
  const owner = await stat(dataDirectory).catch(() => null);
  if (owner !== null && owner.uid !== 0) {
    const { exitCode, output } = await runProgram('id', ['-un', String(owner.uid)]);
    return { name: exitCode === 0 ? output : `#${owner.uid}`, uid: owner.uid, gid: owner.gid };
  }
  return (await findUser()) ?? (await makeUser());
}

/** Whether the account can enter the directory, by trying: modes, groups, access lists and mounts all count. */
export async function canEnter(account: Account, directory: string): Promise<boolean> {
  const { exitCode } = await runProgram('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], { account });
  return exitCode === 0;
}

async function findUser(): Promise<Account> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => runProgram('id', [flag, userName])));
  return uid?.exitCode === 0 && gid?.exitCode === 0
    ? { name: userName, uid: Number(uid.output), gid: Number(gid.output) }
    : null;
}

async function makeUser(): Promise<Account> {
  const group = await runProgram('groupadd', ['--system', '--force', userName]);
  const user = await runProgram('useradd', [
    ...['--system', '--gid', userName, '--no-create-home', '--home-dir', '/nonexistent'],
    ...['--shell', '/usr/sbin/nologin', userName],
  ]);
  // Asked again even after a failure: another node may have made the user in this moment.
  const account = await findUser();
  if (account !== null) return account;
  throw new LogUnfit(
    `Postgres does not run as root, and the user "${userName}" could not be made (${group.output} ${user.output}): make it by hand, start the node as another user, or set DATABASE_URL.`,
  );
}
