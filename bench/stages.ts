import { randomUUID } from 'node:crypto';
import { Command, Option } from 'commander';
import { decide } from '../domain/sequencing/decide.ts';
import type { AppendRequest, Decision, StoreState } from '../domain/sequencing/decision.ts';
import { findStoreKey } from '../domain/find-store-key.ts';
import { checkLegacyRequest, type LegacyRequest, readLegacyRequest } from '../domain/legacy/request.ts';
import type { Head, Micros, RequestId, StoreKey, Uuid } from '../domain/types.ts';
import { nodeSha256 } from '../services/node-sha256.ts';
import { AppendEncoder } from '../storage/postgres/queries/append.query.ts';
import type { Claim } from '../storage/event-log.ts';
import { payloadShapes } from './load/payload-shapes.ts';
import { RequestTemplate } from './load/request-template.ts';
import { positiveInteger } from './report/options.ts';
import { textTable } from './report/text-table.ts';
import { describeMachine } from './target/machine.ts';

/** What a flush of one request costs the node's thread, stage by stage. */
interface Stage {
  readonly name: string;
  /** Runs on the request of a round; what it returns is kept for the next stages. */
  run(round: Round): void;
}

/** One request on its way. */
interface Round {
  body: Buffer;
  request: LegacyRequest | null;
  decision: Decision | null;
}

const program = new Command('bench:stages')
  .description(
    'Measures what an unsigned event costs in each stage of the node that is plain computing, on one thread and without ' +
      'a node: what is left of the processor time that bench:ingest prints goes to HTTP, the broker and the sockets.',
  )
  .addOption(
    new Option('--payload <shape>', 'what the events carry')
      .choices(Object.keys(payloadShapes))
      .default('nested-1k'),
  )
  .option('--events <count>', 'events a request', positiveInteger, 100)
  .option('--seconds <seconds>', 'how long is measured', positiveInteger, 3);

const { payload, events, seconds } = program
  .parse()
  .opts<{ payload: string; events: number; seconds: number }>();

const store: StoreKey = { tenantId: randomUUID() as Uuid, storeId: randomUUID() as Uuid };
const template = new RequestTemplate({
  url: new URL('http://127.0.0.1/'),
  apiKey: 'none',
  ...store,
  agentId: randomUUID(),
  payload,
  events,
});
const limits = { maxEventsPerBatch: 1_000, maxEventPayloadSize: 1 << 20 };
const facts = { events: new Map(), commands: new Map() };
const claim = { ...store, storeNumber: 1, epoch: 1 } as unknown as Claim;
const encoder = new AppendEncoder();
let state: StoreState = { heads: { legacy: 0 as Head, ves: 0 as Head }, lastSequencedAt: null };

const stages: readonly Stage[] = [
  { name: 'find the store', run: ({ body }) => void findStoreKey(body) },
  {
    name: 'read: parse, canonical text, payload hash',
    run: (round) => (round.request = readLegacyRequest(round.body, nodeSha256)),
  },
  {
    name: 'check the request',
    run: ({ request }) => checkLegacyRequest(request!, { agentId: null, mayWrite: true }, limits),
  },
  {
    name: 'decide: ids, sequences, leaf hashes',
    run: (round) => {
      const append: AppendRequest = {
        world: 'legacy',
        requestId: randomUUID() as string as RequestId,
        events: round.request!.events,
      };
      const now = (BigInt(Date.now()) * 1_000n) as Micros;
      const known = { legacy: facts, ves: facts, versions: new Map() };
      const decided = decide(store, state, [append], known, now, nodeSha256);
      if (decided.kind !== 'decided') throw new Error('new events need no look-up');
      round.decision = decided;
    },
  },
  {
    name: 'encode the statement',
    run: ({ decision }) => {
      const { legacy, sequencedAt } = decision!;
      const batch = { claim, expectedHeads: state.heads, sequencedAt, legacy, ves: [] };
      encoder.encode([{ batch, newHeads: decision!.state.heads, payloadKeyNumber: null }]);
      state = decision!.state;
    },
  },
];

const micros = stages.map(() => 0);
let rounds = 0;
const warmUntilMs = performance.now() + 1_000;
const untilMs = warmUntilMs + seconds * 1_000;
const headerBytes = template.bytes.indexOf('\r\n\r\n') + 4;
for (let nowMs = performance.now(); nowMs < untilMs; nowMs = performance.now()) {
  const round: Round = {
    body: Buffer.from(template.next().subarray(headerBytes)),
    request: null,
    decision: null,
  };
  const isWarm = nowMs >= warmUntilMs;
  for (const [index, stage] of stages.entries()) {
    const startMs = performance.now();
    stage.run(round);
    if (isWarm) micros[index]! += (performance.now() - startMs) * 1_000;
  }
  if (isWarm) rounds += 1;
}

const { cpu, node, commit } = describeMachine();
console.log(
  `${cpu}, Node ${node}, commit ${commit}; ${payload}, ${events} events a request, ${rounds} requests\n`,
);
const rows = stages.map(({ name }, index) => [name, (micros[index]! / rounds / events).toFixed(2)]);
const sum = micros.reduce((total, one) => total + one, 0);
console.log(
  textTable([['stage', 'µs an event'], ...rows, ['all of these', (sum / rounds / events).toFixed(2)]]).join(
    '\n',
  ),
);
