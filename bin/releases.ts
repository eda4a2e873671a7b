import { within } from './within.ts';

interface Release {
  readonly what: string;
  readonly timeoutMs: number;
  readonly run: () => Promise<void>;
}

/** What a process holds and has to give back before it ends, the last taken first. */
export class Releases {
  private readonly releases: Release[] = [];
  private running: Promise<void> | null = null;

  /** @param what completes "could not", for the case that it fails or takes longer than the time given */
  add(what: string, timeoutMs: number, run: () => Promise<void>): void {
    this.releases.push({ what, timeoutMs, run });
  }

  /** Gives everything back, each at most once. One that fails or hangs keeps nothing from the others. */
  runAll(): Promise<void> {
    this.running ??= this.runEach();
    return this.running;
  }

  private async runEach(): Promise<void> {
    for (const { what, timeoutMs, run } of this.releases.reverse()) {
      try {
        if ((await within(timeoutMs, run())) === 'late') {
          process.stderr.write(`Could not ${what} within ${timeoutMs / 1_000} s.\n`);
        }
      } catch (error) {
        process.stderr.write(
          `Could not ${what}: ${error instanceof Error ? error.message : String(error)}\n`,
        );
      }
    }
  }
}
