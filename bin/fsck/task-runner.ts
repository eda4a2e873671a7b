import type { MasterKeySettings } from '../../storage/payloads/master-keys.ts';
import { LogScan } from '../../storage/postgres/log-scan.ts';
import { openSession } from '../../storage/postgres/session.ts';
import { scanSession } from '../scan-database.ts';
import { scanVault } from '../scan-vault.ts';
import { NodeCryptography } from '../verify/node-cryptography.ts';
import { checkCommitments } from './check-commitments.ts';
import { checkEvents } from './check-events.ts';
import { checkStore } from './check-store.ts';
import { KeyCache } from './key-cache.ts';
import type { OnProgress, ScanOutcome, ScanTask } from './scan-task.ts';

/** Runs one task after the other, on one connection. */
export interface TaskRunner {
  run(task: ScanTask, onProgress: OnProgress): Promise<ScanOutcome>;
  close(): Promise<void>;
}

export interface TaskRunnerSettings {
  readonly databaseUrl: string;
  /** To look into encrypted payloads with. */
  readonly masterKeys: MasterKeySettings;
}

/** @throws what `pg` throws when there is no connection to be had */
export async function openTaskRunner({ databaseUrl, masterKeys }: TaskRunnerSettings): Promise<TaskRunner> {
  const client = await openSession(scanSession(databaseUrl));
  const scan = new LogScan(client);
  const vault = scanVault(client, masterKeys);
  const tools = { scan, vault, keys: new KeyCache(scan), cryptography: new NodeCryptography() };
  return {
    run: (task, onProgress) => {
      switch (task.kind) {
        case 'events':
          return checkEvents(task, tools, onProgress);
        case 'commitments':
          return checkCommitments(task, tools, onProgress);
        case 'store':
          return checkStore(task.store, scan);
      }
    },
    close: () => client.end(),
  };
}
