import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Cluster } from '../cluster/cluster.ts';
import { freezePostgres } from '../driver/freeze-postgres.ts';
import { SequencerClient } from '../driver/sequencer-client.ts';

/** Something that goes wrong, and the alerts that it must set off. */
export interface Drill {
  readonly fault: string;
  readonly alerts: readonly string[];
  /** Causes it, and returns how to end it. */
  cause(cluster: Cluster): Promise<() => Promise<void>>;
}

const nodeIsKilled: Drill = {
  fault: 'a node is killed (SIGKILL)',
  alerts: ['SequencerNodeDown'],
  cause: async ({ nodes }) => {
    await nodes[2]!.kill();
    return () => nodes[2]!.start();
  },
};

const nodeIsPaused: Drill = {
  fault: 'a node is frozen (SIGSTOP)',
  alerts: ['SequencerNodeDown'],
  cause: ({ nodes }) => {
    nodes[1]!.pause();
    return Promise.resolve(() => Promise.resolve(nodes[1]!.resume()));
  },
};

const natsIsDown: Drill = {
  fault: 'NATS is killed',
  alerts: ['SequencerNatsDown'],
  cause: async ({ nats }) => {
    await nats.kill();
    return () => nats.start();
  },
};

const postgresIsPaused: Drill = {
  fault: 'Postgres is frozen (SIGSTOP to all its processes)',
  // Nodes can check no API key either, so clients get 503; Prometheus has METRICS_TOKEN, and sees it.
  alerts: ['SequencerHighErrorRate', 'SequencerAvailabilityBurnFast'],
  cause: ({ postgres }) => {
    const pid = Number(readFileSync(join(postgres.dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const thaw = freezePostgres(pid);
    return Promise.resolve(() => Promise.resolve(thaw()));
  },
};

const rowIsAltered: Drill = {
  fault: 'someone alters a stored event with SQL',
  alerts: ['SequencerVerificationFailure'],
  cause: async ({ postgres, url, adminKey }) => {
    const client = new SequencerClient({ url, apiKey: adminKey, connectionsMax: 1 });
    const store = { tenantId: randomUUID(), storeId: randomUUID() };
    await client.append(store, randomUUID(), [
      {
        eventId: randomUUID(),
        entityType: 'order',
        entityId: 'altered',
        eventType: 'order.created',
        payload: '{}',
        createdAt: new Date().toISOString(),
      },
    ]);
    const session = new pg.Client({ connectionString: postgres.url });
    await session.connect();
    await session.query(
      "update legacy_events set payload_hash = sha256('another payload') where entity_id = 'altered'",
    );
    await session.end();
    // Nobody need ask: the commitment that the nodes make by themselves, or this one, meets it.
    await client.send(
      'POST',
      '/api/v1/commitments',
      JSON.stringify({
        tenant_id: store.tenantId,
        store_id: store.storeId,
        sequence_start: 1,
        sequence_end: 1,
      }),
    );
    return () => Promise.resolve(client.close());
  },
};

/** In this order: what only ends with a restart comes last. */
export const drills: readonly Drill[] = [
  nodeIsKilled,
  natsIsDown,
  postgresIsPaused,
  nodeIsPaused,
  rowIsAltered,
];
