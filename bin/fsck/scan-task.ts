import type { World } from '../../domain/types.ts';
import type { NumberedStore, ScannedStore } from '../../storage/postgres/log-scan.ts';
import type { Finding } from './finding.ts';

/** A piece of work that needs nothing of any other piece. */
export type ScanTask =
  /** A range of a stream, row by row. */
  | {
      readonly kind: 'events';
      readonly store: NumberedStore;
      readonly world: World;
      readonly from: number;
      readonly to: number;
    }
  /** The chain of a stream, with all roots. */
  | {
      readonly kind: 'commitments';
      readonly store: NumberedStore;
      readonly world: World;
      readonly head: number;
    }
  /** What a store's tables say of each other. */
  | { readonly kind: 'store'; readonly store: ScannedStore };

/** What came of one, or of many. */
export interface ScanOutcome {
  /** The first of them; `findingCount` counts all. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  readonly events: number;
  readonly commitments: number;
  /** Payloads of tenants that were erased. */
  readonly erasedPayloads: number;
  /** Encrypted payloads whose master key is not at hand. */
  readonly unreadablePayloads: number;
}

/** Told of each step forward: events checked, or leaves of commitments. */
export type OnProgress = (steps: number) => void;

/** A broken key can break every row; the first hundred of a task say enough. */
const findingsMax = 100;

/** Takes the findings of one task. */
export class ScanRecord {
  private readonly findings: Finding[] = [];
  private findingCount = 0;
  events = 0;
  commitments = 0;
  erasedPayloads = 0;
  unreadablePayloads = 0;

  add(finding: Finding): void {
    this.findingCount++;
    if (this.findings.length < findingsMax) this.findings.push(finding);
  }

  outcome(): ScanOutcome {
    const { findings, findingCount, events, commitments, erasedPayloads, unreadablePayloads } = this;
    return { findings, findingCount, events, commitments, erasedPayloads, unreadablePayloads };
  }
}
