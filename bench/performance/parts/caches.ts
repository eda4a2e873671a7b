import { randomUUID } from 'node:crypto';
import { SequencerClient } from '../../../bin/driver/sequencer-client.ts';
import { SigningAgent } from '../../../bin/driver/signing-agent.ts';
import { samplePayloads } from '../../load/request-template.ts';
import { whole } from '../../report/number-text.ts';
import { NodeMetrics } from '../../target/node-metrics.ts';
import { groupLeafCount } from '../../../domain/merkle/leaf-group.ts';
import { nodeSettings } from '../cells.ts';
import type { Bench, MeasuredNode, Part } from '../part.ts';
import { publishedHitRates } from '../published-figures.ts';
import { figure } from '../report.ts';
import { openZipf } from '../zipf.ts';

type CacheName = keyof typeof publishedHitRates;

/** As a node's metrics name them; of commitments and proofs those of signed events. */
const metricNames: Readonly<Record<CacheName, string>> = {
  'agent keys': 'agent_keys',
  commitments: 'ves_commitments',
  schemas: 'schemas',
  proofs: 'ves_proofs',
};
const names = Object.keys(publishedHitRates) as CacheName[];

const agentCount = 40;
const eventsOfCommitment = 100;
const signedAtOnce = 10;
const atOnce = 8;

/** How often a node answers from memory, under a mix of requests that favours some things as people do. */
export const caches: Part = {
  name: 'caches',
  title: 'Caches',
  seconds: 35,
  measure: async (bench) => {
    const node = await bench.startNode(await bench.newDatabase(), nodeSettings);
    const commitmentCount = bench.pick(40, 20, 2);
    const mix = await Mix.open(bench, node, commitmentCount);
    const requests = bench.pick(20_000, 3_000, 60);
    bench.say(`${whole(requests / 2)} requests that do not count`);
    await mix.run(requests / 2);
    bench.say(`${whole(requests)} requests`);
    const before = await NodeMetrics.scrape(node);
    const startMs = performance.now();
    await mix.run(requests);
    const perSecond = requests / ((performance.now() - startMs) / 1_000);
    const after = await NodeMetrics.scrape(node);
    const since = (series: string): number => after.value(series) - before.value(series);
    const rates = names.map((name) => {
      const label = `{cache="${metricNames[name]}"}`;
      const hits = since(`sequencer_cache_hits${label}`);
      const lookUps = hits + since(`sequencer_cache_misses${label}`);
      return { name, hits, lookUps, percent: (100 * hits) / lookUps };
    });
    return {
      figures: rates.map(({ name, percent }) =>
        figure(`caches.${name.replace(' ', '-')}.hit_rate`, percent, '%', 'higher', publishedHitRates[name]),
      ),
      // How often depends on the mix, and nobody says what that of the published figures was.
      targets: [],
      tables: [
        {
          title: 'Look-ups answered from memory',
          columns: ['cache', 'published %', 'ours %', 'look-ups', 'entries'],
          rows: rates.map(({ name, percent, lookUps }) => [
            name,
            String(publishedHitRates[name]),
            percent.toFixed(1),
            whole(lookUps),
            whole(after.value(`sequencer_cache_size{cache="${metricNames[name]}"}`)),
          ]),
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'hit-rates',
          title: 'Look-ups answered from memory',
          says: 'in the mix of requests of this report',
          unit: '%',
          series: ['answered from memory'],
          markName: 'published',
          levels: [],
          groups: rates.map(({ name, percent }) => ({
            name,
            bars: [{ value: percent, mark: publishedHitRates[name] }],
          })),
        },
      ],
      notes: [
        `${whole(requests)} requests on ${atOnce} connections (${whole(perSecond)} a second), after half as many that do not count: six in ten ask for the proof of an event, two for a commitment, one appends ${signedAtOnce} signed events of one of ${agentCount} agents, one asks for a head. Every ${eventsOfCommitment} events that were appended are committed and anchored, and are then what is asked for the most: how often the nth newest of ${whole(commitmentCount * eventsOfCommitment)} events or ${commitmentCount} commitments is asked for, and which agent appends, follows Zipf's law. So what was never asked for before keeps coming, and each look-up of it goes to Postgres; a cache of proofs keeps ${groupLeafCount} neighbours as one entry. A rate depends on the mix; that of the published figures is not told, so these are no targets.`,
      ],
    };
  },
};

interface Committed {
  readonly batchId: string;
  readonly start: number;
}

/** The clients, and what there is to ask for: the newest commitments, as many as there were at the start. */
class Mix {
  private readonly client: SequencerClient;
  private readonly store = { tenantId: randomUUID(), storeId: randomUUID() };
  private readonly agents = Array.from({ length: agentCount }, () => new SigningAgent());
  private readonly committed: Committed[] = [];
  private readonly pickAgent = openZipf(agentCount);
  private readonly pickCommitment: () => number;
  private readonly pickEvent: () => number;
  private appended = 0;
  /** Events that are committed, or soon will be. */
  private taken = 0;
  /** One after the other, so that the newest is the last. */
  private committing: Promise<void> = Promise.resolve();

  private constructor(client: SequencerClient, commitments: number) {
    this.client = client;
    this.pickCommitment = openZipf(commitments);
    this.pickEvent = openZipf(commitments * eventsOfCommitment);
  }

  static async open(bench: Bench, { url, apiKey }: MeasuredNode, commitments: number): Promise<Mix> {
    const mix = new Mix(new SequencerClient({ url, apiKey, connectionsMax: atOnce }), commitments);
    bench.release(() => mix.client.close());
    bench.say('events and commitments to ask for');
    const { tenantId } = mix.store;
    for (const agent of mix.agents)
      await mix.expect('POST', '/api/v1/agents/keys', agent.registration(tenantId));
    const schemaJson = { type: 'object', properties: { sku: { type: 'string' } } };
    await mix.expect(
      'POST',
      '/api/v1/schemas',
      JSON.stringify({ tenantId, eventType: 'order.updated', schemaJson }),
    );
    while (mix.committed.length < commitments) await mix.append(signedAtOnce);
    return mix;
  }

  async run(requests: number): Promise<void> {
    let left = requests;
    const loop = async (): Promise<void> => {
      while (left-- > 0) await this.request(left % 10);
    };
    await Promise.all(Array.from({ length: atOnce }, loop));
  }

  private async request(turn: number): Promise<void> {
    const stream = `tenant_id=${this.store.tenantId}&store_id=${this.store.storeId}`;
    if (turn < 6) {
      const age = this.pickEvent();
      const { batchId, start } = this.newest(Math.floor(age / eventsOfCommitment));
      const sequence = start + eventsOfCommitment - 1 - (age % eventsOfCommitment);
      await this.expect('GET', `/api/v1/ves/proofs/${sequence}?${stream}&batch_id=${batchId}`);
    } else if (turn < 8) {
      const { batchId } = this.newest(this.pickCommitment());
      await this.expect('GET', `/api/v1/ves/commitments/${batchId}?${stream}`);
    } else if (turn === 8) await this.append(signedAtOnce);
    else await this.expect('GET', `/api/v1/ves/head?${stream}`);
  }

  /** @param age 0 is the newest */
  private newest(age: number): Committed {
    return this.committed[this.committed.length - 1 - age]!;
  }

  private async commit(start: number): Promise<void> {
    const { tenantId, storeId } = this.store;
    const range = { sequence_start: start, sequence_end: start + eventsOfCommitment - 1 };
    const body = JSON.stringify({ tenant_id: tenantId, store_id: storeId, ...range });
    const answer = await this.expect('POST', '/api/v1/ves/commitments', body);
    const batchId = (JSON.parse(answer) as { batch_id: string }).batch_id;
    const anchor = { chain_tx_hash: '0'.repeat(64), chain_id: 1, block_number: 1 };
    await this.expect('POST', `/v1/commitments/${batchId}/anchored`, JSON.stringify(anchor));
    this.committed.push({ batchId, start });
  }

  private async append(count: number): Promise<void> {
    const agent = this.agents[this.pickAgent()]!;
    const events = await Promise.all(
      samplePayloads('small-150', count).map((payload) => {
        const eventId = randomUUID();
        const entity = { entityType: 'order', entityId: `order-${eventId.slice(0, 8)}` };
        const createdAt = '2026-01-31T12:00:00.000Z';
        return agent.sign(this.store, { eventId, ...entity, eventType: 'order.updated', createdAt, payload });
      }),
    );
    const outcome = await this.client.appendSigned(agent.agentId, events);
    if (outcome.kind !== 'acknowledged' || outcome.answer.eventsAccepted !== count) {
      throw new Error(`signed events were not accepted: ${JSON.stringify(outcome)}`);
    }
    this.appended += count;
    if (this.appended < this.taken + eventsOfCommitment) return;
    this.taken += eventsOfCommitment;
    const start = this.taken - eventsOfCommitment + 1;
    this.committing = this.committing.then(() => this.commit(start));
    await this.committing;
  }

  /** @throws Error when the answer is neither 200 nor 201 */
  private async expect(method: string, path: string, body?: string): Promise<string> {
    const answer = await this.client.send(method, path, body);
    if (answer.status === 200 || answer.status === 201) return answer.body;
    throw new Error(`${method} ${path} answered ${answer.status}: ${answer.body.slice(0, 200)}`);
  }
}
