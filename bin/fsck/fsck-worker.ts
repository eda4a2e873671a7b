import { parentPort, workerData } from 'node:worker_threads';
import type { ScanOutcome, ScanTask } from './scan-task.ts';
import { openTaskRunner, type TaskRunnerSettings } from './task-runner.ts';

/** What a thread tells: it is ready, made progress, is done with a task, or can't go on. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly steps: number }
  | { readonly kind: 'done'; readonly outcome: ScanOutcome }
  | { readonly kind: 'failed'; readonly message: string };

export type WorkerSettings = TaskRunnerSettings;

// One thread with one connection: takes a task, checks, tells, and waits for the next; null ends it. Only run-tasks.ts
// starts this file, and gives it the settings.
const settings = workerData as WorkerSettings;
const tell = (message: WorkerMessage): void => parentPort?.postMessage(message);
const fail = (error: unknown): void => tell({ kind: 'failed', message: (error as Error).message });

try {
  const runner = await openTaskRunner(settings);
  parentPort?.on('message', (task: ScanTask | null) => {
    if (task === null) {
      void runner.close().finally(() => parentPort?.close());
      return;
    }
    const onProgress = (steps: number): void => tell({ kind: 'progress', steps });
    runner.run(task, onProgress).then((outcome) => tell({ kind: 'done', outcome }), fail);
  });
  tell({ kind: 'ready' });
} catch (error) {
  fail(error);
}
