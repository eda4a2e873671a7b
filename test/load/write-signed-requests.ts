import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { SequencerClient } from '../../bin/driver/sequencer-client.ts';
import { SigningAgent } from '../../bin/driver/signing-agent.ts';
import { makeSignedBodies } from './signed-bodies.ts';

interface Options {
  readonly url: string;
  readonly apiKey: string;
  readonly tenantId: string;
  readonly stores: string;
  readonly batch: string;
  readonly requests: string;
  readonly agents: string;
  readonly file: string;
}

const program = new Command('write-signed-requests')
  .description(
    'Registers agents at a node and writes requests that they signed, for the scripts of k6 with SIGNED=1.',
  )
  .option('--url <url>', 'the node', 'http://127.0.0.1:8080')
  .requiredOption('--api-key <key>', 'of an administrator')
  .option('--tenant-id <uuid>', 'as TENANT_ID of the scripts', '11111111-1111-4111-8111-111111111111')
  .option('--stores <count>', 'over how many stores the events are spread', '8')
  .option('--batch <count>', 'events a request', '100')
  .option('--requests <count>', 'each can be sent once', '2000')
  .option('--agents <count>', 'who sign them in turn', '10')
  .option('--file <path>', 'where they go', join(import.meta.dirname, 'signed-requests.json'));

const options = program.parse().opts<Options>();
const { url, apiKey, tenantId } = options;
const agents = Array.from({ length: Number(options.agents) }, () => new SigningAgent());
const client = new SequencerClient({ url, apiKey, connectionsMax: 1 });
for (const agent of agents) {
  const { status, body } = await client.send('POST', '/api/v1/agents/keys', agent.registration(tenantId));
  if (status >= 300) throw new Error(`a key was not registered: ${body}`);
}
client.close();
const storeIds = Array.from({ length: Number(options.stores) }, () => randomUUID());
const plan = {
  tenantId,
  storeIds,
  agents,
  events: Number(options.batch),
  requests: Number(options.requests),
};
const bodies = await makeSignedBodies(plan);
writeFileSync(options.file, JSON.stringify(bodies));
console.log(`${bodies.length} requests of ${options.batch} events in ${options.file}`);
