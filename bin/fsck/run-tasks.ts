import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { WorkerMessage, WorkerSettings } from './fsck-worker.ts';
import type { OnProgress, ScanOutcome, ScanTask } from './scan-task.ts';
import { openTaskRunner } from './task-runner.ts';

/** Why a check can't be finished. */
export class CheckFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CheckFailed';
  }
}

/**
 * Runs tasks, several at a time: on as many threads, each with a connection of its own, of which a free one takes the next
 * task. A single job needs no thread beside this one.
 * @throws CheckFailed, or what storage throws, when a task can't be finished; the others are then ended
 */
export async function runTasks(
  tasks: readonly ScanTask[],
  { jobs, ...settings }: WorkerSettings & { readonly jobs: number },
  onProgress: OnProgress,
): Promise<ScanOutcome[]> {
  const outcomes: ScanOutcome[] = [];
  const waiting = tasks.values();
  if (jobs === 1) {
    const runner = await openTaskRunner(settings);
    try {
      for (const task of waiting) outcomes.push(await runner.run(task, onProgress));
    } finally {
      await runner.close();
    }
    return outcomes;
  }
  const workers = Array.from({ length: Math.min(jobs, tasks.length) }, () => startWorker(settings));
  try {
    await Promise.all(
      workers.map((worker) => feed(worker, waiting, (outcome) => outcomes.push(outcome), onProgress)),
    );
  } catch (error) {
    await Promise.all(workers.map((worker) => worker.terminate()));
    throw error;
  }
  return outcomes;
}

function startWorker(settings: WorkerSettings): Worker {
  // The same kind of file as this one: a build turns both into JavaScript.
  const file = `fsck-worker${extname(import.meta.filename)}`;
  return new Worker(join(import.meta.dirname, file), { workerData: settings });
}

/** Gives a thread one task after the other until there are none; resolves when it has ended. */
function feed(
  worker: Worker,
  waiting: Iterator<ScanTask, undefined>,
  onDone: (outcome: ScanOutcome) => void,
  onProgress: OnProgress,
): Promise<void> {
  const next = (): void => {
    const taken: IteratorResult<ScanTask, undefined> = waiting.next();
    worker.postMessage(taken.value ?? null);
  };
  return new Promise((resolve, reject) => {
    worker.on('message', (message: WorkerMessage) => {
      switch (message.kind) {
        case 'ready':
          return next();
        case 'progress':
          return onProgress(message.steps);
        case 'done':
          onDone(message.outcome);
          return next();
        case 'failed':
          return reject(new CheckFailed(message.message));
      }
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new CheckFailed(`a thread ended with ${code}`));
    });
  });
}
