import { LogUnavailable } from '../../domain/errors.ts';

export interface TurnsLimits {
  readonly atOnceMax: number;
  readonly waitingMax: number;
}

/** Lets a few run at a time, and the others wait in line for theirs. */
export class Turns {
  private readonly limits: TurnsLimits;
  private readonly line: (() => void)[] = [];
  private running = 0;

  constructor(limits: TurnsLimits) {
    this.limits = limits;
  }

  /** @throws LogUnavailable at once, when the line is as long as it may be */
  async take<Result>(run: () => Promise<Result>): Promise<Result> {
    const { atOnceMax, waitingMax } = this.limits;
    if (this.running < atOnceMax) this.running++;
    else {
      if (this.line.length >= waitingMax) {
        throw new LogUnavailable('too many commitments wait to be made', { waitingMax });
      }
      // Whoever ends hands its place on, so `running` stays as it is.
      await new Promise<void>((resolve) => this.line.push(resolve));
    }
    try {
      return await run();
    } finally {
      const next = this.line.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
