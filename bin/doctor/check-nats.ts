import { connect, type NatsConnection } from 'nats';
import { natsConnectionOptions } from '../nats-connection.ts';
import { StartProblem } from '../start-problem.ts';
import { advice, type Finding, ok, problem } from './finding.ts';

const payloadMin = 1_048_576;
const connectTimeoutMs = 5_000;

/** What the NATS servers of a cluster say of themselves. */
export async function checkNats(settings: Parameters<typeof natsConnectionOptions>[0]): Promise<Finding[]> {
  let nats: NatsConnection;
  try {
    const options = natsConnectionOptions(settings, { name: 'sequencer-doctor', inboxPrefix: '_INBOX' });
    nats = await connect({ ...options(), timeout: connectTimeoutMs, reconnect: false });
  } catch (error) {
    const reason = error instanceof StartProblem ? error.message : (error as Error).message;
    return [
      problem(
        `NATS does not let us in: ${reason}`,
        'nodes then serve only the stores that they own themselves',
        'check NATS_URL and its credentials, and whether nats-server runs',
      ),
    ];
  }
  try {
    const { max_payload: payloadMax, auth_required: hasAuth, tls_required: hasTls } = nats.info!;
    return [
      payloadMax >= payloadMin
        ? ok(`max_payload of NATS is ${payloadMax} bytes`)
        : advice(
            `max_payload of NATS is ${payloadMax} bytes`,
            'longer messages go in parts, which costs time and memory',
            `set max_payload: ${payloadMin} in nats-server.conf`,
          ),
      hasAuth === true
        ? ok('NATS asks for credentials')
        : problem(
            'NATS asks for no credentials',
            'whoever reaches it can append',
            'set users in nats-server.conf',
          ),
      hasTls === true
        ? ok('NATS asks for TLS')
        : advice(
            'NATS does not ask for TLS',
            'requests travel readable between nodes; production refuses to start so',
            'set tls in nats-server.conf, and NATS_TLS_CA or tls:// on the nodes',
          ),
    ];
  } finally {
    await nats.close();
  }
}
