import type { EventEmitter } from 'node:events';
import { StartProblem } from './start-problem.ts';

const signalNames = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Signals that come while the node still starts: the start ends at its next safe moment, and gives back what it took. */
export class Interruption {
  private readonly signals: EventEmitter;
  private readonly controller = new AbortController();
  private readonly onSignal = (): void => {
    this.controller.abort(new StartProblem('Stopped by a signal before the start was complete.'));
  };

  constructor(signals: EventEmitter) {
    this.signals = signals;
    for (const name of signalNames) signals.on(name, this.onSignal);
  }

  /** @throws StartProblem when a signal has come */
  check(): void {
    this.controller.signal.throwIfAborted();
  }

  /** The step's result, unless a signal comes first; for steps that may wait long and hold nothing. */
  async cutShort<Result>(step: Promise<Result>): Promise<Result> {
    const { signal } = this.controller;
    const aborted = new Promise<never>((_, reject) => {
      const refuse = (): void => reject(signal.reason as StartProblem);
      if (signal.aborted) refuse();
      else signal.addEventListener('abort', refuse, { once: true });
    });
    return Promise.race([step, aborted]);
  }

  /** Leaves the signals to whoever comes next. */
  end(): void {
    for (const name of signalNames) this.signals.off(name, this.onSignal);
  }
}
