import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { cpuSince, figuresOf, type OperationFigures, openTimes, type Span } from './measure.ts';

export interface VerificationFigures extends OperationFigures {
  readonly depth: number;
  readonly threads: number;
}

/** What a thread is to do. It says `ready` when its proofs are made, and begins when it is told to. */
export interface VerificationPlan extends Span {
  readonly depth: number;
}

/** What a thread says in the end. */
export interface ThreadFigures {
  readonly perSecond: number;
  /** Encoded: what passes between threads are not objects with methods. */
  readonly times: string;
}

/** Verifications of inclusion proofs, on some threads at once that share nothing. */
export async function measureVerification(
  depth: number,
  threads: number,
  span: Span,
): Promise<VerificationFigures> {
  const plan: VerificationPlan = { depth, ...span };
  const workers = Array.from(
    { length: threads },
    () => new Worker(join(import.meta.dirname, 'proof-verification.worker.ts'), { workerData: plan }),
  );
  await Promise.all(workers.map(answerOf));
  const cpuBefore = process.cpuUsage();
  const answers = workers.map(answerOf);
  for (const worker of workers) worker.postMessage('go');
  const figures = (await Promise.all(answers)) as ThreadFigures[];
  const cpuMicros = cpuSince(cpuBefore);
  const times = openTimes();
  for (const thread of figures) times.add(decodeFromCompressedBase64(thread.times));
  const perSecond = figures.reduce((sum, thread) => sum + thread.perSecond, 0);
  return { depth, threads, ...figuresOf(times, perSecond, cpuMicros) };
}

function answerOf(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
