import { SequencerClient } from '../driver/sequencer-client.ts';
import { type Finding, ok, problem } from './finding.ts';
import { judgeClock } from './judge-clock.ts';

const timeoutMs = 10_000;

/** A node, or whatever stands in front of some. Without a key only what everyone may ask. */
export async function checkNode(url: string, key: string | null): Promise<Finding[]> {
  const client = new SequencerClient({ url, apiKey: key ?? '', connectionsMax: 1, timeoutMs });
  try {
    await client.send('GET', '/health'); // Connects, so that the next answer tells the time more closely.
    const askedMs = Date.now();
    const health = await client.send('GET', '/health');
    const answeredMs = Date.now();
    const { timestamp } = JSON.parse(health.body) as { timestamp: string };
    const findings = [
      judgeClock(`the node at ${url}`, { askedMs, answeredMs, clockMs: Date.parse(timestamp) }),
      judgeReadiness(url, await client.send('GET', '/ready')),
    ];
    return key === null
      ? findings
      : [...findings, judgeDetails(await client.send('GET', '/health/detailed'))];
  } catch (error) {
    return [
      problem(
        `the node at ${url} does not answer: ${(error as Error).message}`,
        'it serves nobody',
        'see whether it runs, and its log',
      ),
    ];
  } finally {
    client.close();
  }
}

function judgeReadiness(url: string, { status, body }: { status: number; body: string }): Finding {
  if (status === 200) return ok(`the node at ${url} is ready`);
  return problem(`/ready answers ${status}: ${body}`, 'load balancers send it nothing', 'see its log');
}

function judgeDetails({ status, body }: { status: number; body: string }): Finding {
  if (status === 401 || status === 403) {
    return problem(
      `/health/detailed answers ${status}`,
      'the key is not an administrator’s',
      'give another --key',
    );
  }
  const { status: health } = JSON.parse(body) as { status: string };
  if (health === 'healthy') return ok('its database and its pool are well');
  return problem(
    `the node is ${health}: ${body}`,
    'its database or its pool is slow or full',
    'docs/runbook',
  );
}
