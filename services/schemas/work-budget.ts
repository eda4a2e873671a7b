/** A payload would take more steps to check than it may. */
export class TooMuchWork extends Error {}

const stepsAtLeast = 20_000;
const stepsPerByte = 20;
/** Half a second on the event loop, at the very worst. */
const stepsAtMost = 2_000_000;

/**
 * What checking one payload may cost, in steps of some tens of nanoseconds. A schema of a few lines can ask for more work
 * than there is time, by references that fan out; so the work is counted where it is done. The count depends on nothing but
 * schema and payload: every node comes to the same verdict, however busy it is.
 */
export class WorkBudget {
  private allowed = 0;
  private left = 0;

  /** Begins with another payload of this length as JSON. */
  open(payloadBytes: number): void {
    this.allowed = Math.min(stepsAtMost, stepsAtLeast + stepsPerByte * payloadBytes);
    this.left = this.allowed;
  }

  get spent(): number {
    return this.allowed - this.left;
  }

  /** @throws TooMuchWork */
  spend(steps: number): void {
    this.left -= steps;
    if (this.left < 0) throw new TooMuchWork();
  }

  /**
   * For the check of one value by one subschema.
   * @param weight what the subschema lists: its keywords, names and subschemas
   * @param loops how often each part of the value is looked at
   * @throws TooMuchWork
   */
  spendOn(value: unknown, weight: number, loops: number): void {
    if (loops === 0 || typeof value !== 'object' || value === null) return this.spend(weight);
    const parts = Array.isArray(value) ? value.length : Object.keys(value).length;
    this.spend(weight + parts * loops);
  }
}
