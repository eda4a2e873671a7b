import type { Settings } from '../config/read-settings.ts';
import { systemClock } from '../services/system-clock.ts';
import { Cluster } from '../services/transport/cluster.ts';
import { NatsRefused } from '../services/transport/nats-refused.ts';
import type { NodeCircuits } from '../services/transport/node-circuits.ts';
import { NodeNameTaken } from '../services/transport/node-name.ts';
import type { Log } from '../telemetry/log.ts';
import { natsConnectionOptions } from './nats-connection.ts';
import { StartProblem } from './start-problem.ts';

export interface OpenClusterOptions {
  readonly circuits: NodeCircuits;
  readonly nodeId: string;
  readonly log: Log;
  /** Told when the node must end, since an older one of its name lives. */
  readonly onNameTaken: (error: NodeNameTaken) => void;
}

/** What Moleculer puts before every subject, so that one permission, for `MOL-stateset-sequencer.>`, covers all. */
const subjectPrefix = 'MOL-stateset-sequencer';

/**
 * Joins the cluster of NATS_URL.
 * @returns null for a node that is alone
 * @throws StartProblem when NATS does not let us in, or a living node has our name
 */
export async function openCluster(settings: Settings, options: OpenClusterOptions): Promise<Cluster | null> {
  if (settings.natsUrl === null) return null;
  const { nodeId, circuits, log, onNameTaken } = options;
  try {
    return await Cluster.join({
      nodeId,
      namespace: subjectPrefix,
      connectionOptions: natsConnectionOptions(settings, {
        name: `stateset-sequencer ${nodeId}`,
        inboxPrefix: `${subjectPrefix}.INBOX`,
      }),
      clock: systemClock,
      log,
      silenceMs: settings.nodeSilenceMs,
      circuits,
      linkLimits: { callsMax: settings.nodeCallsInFlightMax, bytesMax: settings.nodeBytesInFlightMax },
      bodyBytesMax: settings.maxBodySizeBytes,
      partialBytesMax: settings.nodePartialBytesMax,
      onNameTaken,
    });
  } catch (cause) {
    if (cause instanceof NatsRefused) {
      throw new StartProblem(
        `NATS refuses us (${cause.message}): check NATS_URL, and the user, token, credentials or certificates that go with it.`,
        { cause },
      );
    }
    if (cause instanceof NodeNameTaken)
      throw new StartProblem(`This node can't join: ${cause.message}.`, { cause });
    throw cause;
  }
}
