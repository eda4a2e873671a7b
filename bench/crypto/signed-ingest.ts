import { randomBytes, randomUUID } from 'node:crypto';
import { toHex } from '../../domain/bytes.ts';
import { openSigningKey } from '../../services/node-ed25519.ts';
import type { CellFigures, CellPlan } from '../load/cell.ts';
import { type LoadProcess, openLoadProcess } from '../load/load-process.ts';
import type { SigningAgent } from '../load/signed-requests.ts';
import { cpuMicros } from '../target/machine.ts';
import { startTarget, type Target } from '../target/target.ts';
import { median, type Span } from './measure.ts';
import { measureSignatures, type SignatureFigures } from './signature-cost.ts';

/** Medians of some cells, in which signed and unsigned events took turns. */
export interface IngestFigures {
  readonly eventsPerSecond: number;
  readonly nodeCpuMicros: number;
  readonly loadCpuMicros: number;
  /** Of a request. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface SignedIngestFigures {
  readonly signed: IngestFigures;
  readonly unsigned: IngestFigures;
  readonly signatures: SignatureFigures;
  /**
   * One core has to verify the agent's signature, sign the receipt, and do all that an unsigned event takes: so many signed
   * events a second it can do at most.
   */
  readonly boundPerCore: number;
}

export interface SignedIngestPlan {
  readonly span: Span;
  readonly cells: number;
  readonly cores: number;
  /** Settings of the node. */
  readonly env?: Readonly<Record<string, string>>;
}

export const ingestCell = { payload: 'nested-1k', batch: 100, connections: 10, streams: 1 } as const;

/** Signed events over HTTP to a node that is a process of its own, and beside them what they are made of. */
export async function measureSignedIngest(
  serverUrl: string,
  { span, cells, cores, env = {} }: SignedIngestPlan,
): Promise<SignedIngestFigures> {
  const target = await startTarget(serverUrl, env);
  const load = openLoadProcess();
  try {
    const tenantId = randomUUID();
    const agents = await registerAgents(target, tenantId);
    const { url, apiKey } = target;
    const plan: CellPlan = { url, apiKey, tenantId, ...ingestCell, signed: null, ...span };
    const signatureRounds: SignatureFigures[] = [];
    const unsigned: IngestFigures[] = [];
    const signed: IngestFigures[] = [];
    for (let cell = 0; cell < cells; cell++) {
      // In turns with what they are held against, since the speed of a machine drifts.
      signatureRounds.push(await measureSignatures({ ...span, measureMs: span.measureMs / cells }));
      unsigned.push(await runCell(load, target, plan));
      const perEvent = partsOf(medianOfSignatures(signatureRounds)) + medianOf(unsigned).nodeCpuMicros;
      // As many as all cores together could take.
      const events = ((span.warmUpMs + span.measureMs) * 1_000 * cores) / perEvent;
      const requestsMax = Math.ceil(events / ingestCell.batch);
      signed.push(await runCell(load, target, { ...plan, signed: { agents, requestsMax } }));
    }
    const signatures = medianOfSignatures(signatureRounds);
    const boundPerCore = 1_000_000 / (partsOf(signatures) + medianOf(unsigned).nodeCpuMicros);
    return { signed: medianOf(signed), unsigned: medianOf(unsigned), signatures, boundPerCore };
  } finally {
    load.close();
    await target.stop();
  }
}

/** What signatures add to an event, in microseconds of processor time. */
function partsOf({ verification, signing }: SignatureFigures): number {
  return verification.cpuMicros + signing.cpuMicros;
}

async function runCell(load: LoadProcess, { pid }: Target, plan: CellPlan): Promise<IngestFigures> {
  const cpuBefore = cpuMicros(pid ?? 0) ?? Number.NaN;
  const figures = await load.run(plan);
  const cpu = (cpuMicros(pid ?? 0) ?? Number.NaN) - cpuBefore;
  refuseFailures(figures);
  const { eventsPerSecond, loadCpuMicrosPerEvent: loadCpuMicros, p50Ms, p95Ms, p99Ms } = figures;
  return {
    eventsPerSecond,
    nodeCpuMicros: cpu / figures.eventsInAll,
    loadCpuMicros,
    ...{ p50Ms, p95Ms, p99Ms },
  };
}

function refuseFailures({ errors, pushbacks, firstError }: CellFigures): void {
  if (errors + pushbacks === 0) return;
  throw new Error(`${errors} requests failed and ${pushbacks} were pushed back: ${firstError ?? 'with 503'}`);
}

/** One agent a connection, each with a key that the node is told of. */
async function registerAgents({ url, apiKey }: Target, tenantId: string): Promise<SigningAgent[]> {
  const agents = Array.from({ length: ingestCell.connections }, () => ({
    agentId: randomUUID(),
    keyId: 1,
    seed: randomBytes(32).toString('hex'),
  }));
  for (const { agentId, keyId, seed } of agents) {
    const publicKey = toHex(openSigningKey(Buffer.from(seed, 'hex')).publicKey);
    const response = await fetch(`${url}/api/v1/agents/keys`, {
      method: 'POST',
      headers: { authorization: `ApiKey ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ tenantId, agentId, keyId, publicKey }),
    });
    if (!response.ok) throw new Error(`a key was not registered: ${await response.text()}`);
  }
  return agents;
}

function medianOf(cells: readonly IngestFigures[]): IngestFigures {
  const of = (field: keyof IngestFigures): number => median(cells.map((cell) => cell[field]));
  return {
    eventsPerSecond: of('eventsPerSecond'),
    nodeCpuMicros: of('nodeCpuMicros'),
    loadCpuMicros: of('loadCpuMicros'),
    ...{ p50Ms: of('p50Ms'), p95Ms: of('p95Ms'), p99Ms: of('p99Ms') },
  };
}

/** That of the round whose checks were neither the fastest nor the slowest. */
function medianOfSignatures(rounds: readonly SignatureFigures[]): SignatureFigures {
  const bySpeed = rounds.toSorted((a, b) => a.verification.perSecond - b.verification.perSecond);
  return bySpeed[Math.floor(bySpeed.length / 2)]!;
}
