/** What can be checked of what a sequencer hands out. The names stand in reports and are never renamed. */
export const verifyRules = {
  readable: 'it can be read, and has every field that it needs',
  keys: 'the keys that the file brings are the ones that were given',
  form: 'the event has the form that its version prescribes',
  'payload-hash': 'the payload hash is that of the payload',
  'cipher-hash': 'the cipher hash is that of the encrypted payload',
  'signing-hash': 'the stored signing hash is that of the event',
  'agent-signature': 'the agent signed the event',
  'receipt-hash': 'the receipt is for this event at this sequence',
  'receipt-signature': 'the sequencer signed the receipt',
  leaf: 'the leaf is that of the event at its sequence',
  inclusion: 'the path leads from the leaf to the root',
  range: 'the commitment has a leaf for each event of its range, and begins after the one before',
  root: 'the root is the one over the events',
  chain: 'the commitment names the state root of the one before',
  'state-root': 'the state root follows from the commitment',
  'commitment-signature': 'the sequencer signed the commitment',
  order: 'sequences follow each other, none missing, none twice',
  'one-sequence-per-event': 'no event id has two sequences',
  complete: 'the export goes on to its end',
} as const;

export type VerifyRule = keyof typeof verifyRules;

/** One rule put to the test on one thing. */
export interface Check {
  readonly rule: VerifyRule;
  /** What was looked at, such as `event 12` or `commitment 1..100`. */
  readonly subject: string;
  /** Null when there is nothing to check it with; `detail` says what is missing. */
  readonly holds: boolean | null;
  readonly detail: string;
}

/** How often a rule was put to the test, and with which outcome. */
export interface RuleCount {
  readonly held: number;
  readonly failed: number;
  readonly unchecked: number;
}

export interface VerifyReport {
  /** Nothing that was checked fails. What could not be checked is counted, and does not make this false. */
  readonly holds: boolean;
  /** Something could not be checked for want of a key. */
  readonly lacksKeys: boolean;
  readonly counts: Readonly<Partial<Record<VerifyRule, RuleCount>>>;
  /** Of a single thing all checks; of a stream the first that failed or could not be made. */
  readonly checks: readonly Check[];
}

/** A stream with a wrong key breaks a rule once an event; the first hundred say enough, the rest are counted. */
const exceptionsMax = 100;

/** Takes the outcome of checks as they are made. */
export class Checklist {
  private readonly keep: 'all' | 'exceptions';
  private readonly counts = new Map<VerifyRule, { held: number; failed: number; unchecked: number }>();
  private readonly checks: Check[] = [];
  private anyFailed = false;
  private lacksKeys = false;

  /** @param keep `exceptions` for what has too many checks to list those that held */
  constructor(keep: 'all' | 'exceptions') {
    this.keep = keep;
  }

  /** @param detail shown when the outcome is listed */
  note(rule: VerifyRule, subject: string, holds: boolean, detail: string): void {
    if (holds) this.held(rule, subject, detail);
    else this.failed(rule, subject, detail);
  }

  held(rule: VerifyRule, subject: string, detail = ''): void {
    this.countOf(rule).held++;
    if (this.keep === 'all') this.checks.push({ rule, subject, holds: true, detail });
  }

  failed(rule: VerifyRule, subject: string, detail: string): void {
    this.countOf(rule).failed++;
    this.anyFailed = true;
    this.except({ rule, subject, holds: false, detail });
  }

  /** @param reason `no key` when handing in a key would help; `unsigned` and `out of reach` when nothing would */
  unchecked(
    rule: VerifyRule,
    subject: string,
    detail: string,
    reason: 'no key' | 'unsigned' | 'out of reach',
  ): void {
    this.countOf(rule).unchecked++;
    if (reason === 'no key') this.lacksKeys = true;
    this.except({ rule, subject, holds: null, detail });
  }

  report(): VerifyReport {
    return {
      holds: !this.anyFailed,
      lacksKeys: this.lacksKeys,
      counts: Object.fromEntries(this.counts),
      checks: this.checks,
    };
  }

  private countOf(rule: VerifyRule): { held: number; failed: number; unchecked: number } {
    let count = this.counts.get(rule);
    if (count === undefined) this.counts.set(rule, (count = { held: 0, failed: 0, unchecked: 0 }));
    return count;
  }

  private except(check: Check): void {
    if (this.keep === 'all' || this.checks.length < exceptionsMax) this.checks.push(check);
    else if (check.holds === false) this.makeRoom(check);
  }

  /** A failure says more than what could not be checked. */
  private makeRoom(check: Check): void {
    const at = this.checks.findIndex(({ holds }) => holds === null);
    if (at < 0) return;
    this.checks.splice(at, 1);
    this.checks.push(check);
  }
}
