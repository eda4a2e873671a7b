import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NodeProcess, startNodeProcess } from '../../bin/driver/node-process.ts';

/** The bootstrap key of every node that tests start. */
export const adminKey = 'ss_test_admin_key_0123456789abcdefghij';

/** Real node processes of one test file, with a data directory that they share one after the other. */
export class TestNodes {
  readonly folder: string;
  private readonly nodes: NodeProcess[] = [];

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'sequencer-nodes-'));
    chmodSync(this.folder, 0o755); // Postgres does not run as root, so another user must get in.
  }

  /** Starts a node and waits until it is ready; `env` goes before what is set here, `program` is that of another version. */
  async start(env: Readonly<Record<string, string>>, program?: string): Promise<NodeProcess> {
    const node = await startNodeProcess({
      ...(program !== undefined && { program }),
      env: {
        DATA_DIR: join(this.folder, 'data'),
        BOOTSTRAP_ADMIN_API_KEY: adminKey,
        SHUTDOWN_DELAY_SECS: '0',
        LOG_LEVEL: 'warn',
        ...env,
      },
    });
    this.nodes.push(node);
    return node;
  }

  /** Stops every node that still runs and removes what they kept. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop(10_000)));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
