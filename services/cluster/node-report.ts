import type { ActorsReport } from '../../actors/actor-directory.ts';
import type { Takeover } from '../../actors/takeovers.ts';
import type { LeadershipReport } from '../leadership/leader-election.ts';

/** More would make the answers of a large cluster heavy. */
export const reportedStoresMax = 100;

/** `node.describe`: what a node says of itself. */
export interface DescribeParams {
  /** How many stores to name, those used last first; 0 names none. */
  readonly storesMax: number;
}

export interface NodeReport {
  readonly nodeId: string;
  readonly version: string;
  readonly services: readonly string[];
  /** RFC 3339. */
  readonly startedAt: string;
  /** Bytes of requests that were admitted here and not yet answered, and how many there may be. */
  readonly bytesInFlight: number;
  readonly bytesInFlightMax: number;
  /** Null on a node that sequences nothing. */
  readonly sequencer: SequencerReport | null;
  /** What this node is a candidate for; absent from one of an older version. */
  readonly leadership?: readonly LeadershipReport[];
}

export interface SequencerReport extends ActorsReport {
  /** Since the node was started. */
  readonly takeovers: number;
  readonly lastTakeover: Takeover | null;
}

/** What is known of a node by one that asked. */
export type NodeView =
  | { readonly nodeId: string; readonly state: 'answers'; readonly report: NodeReport }
  /** `silent`: it counts as a member and did not answer in time. `gone`: it left, or was given up. */
  | { readonly nodeId: string; readonly state: 'silent' | 'gone'; readonly services: readonly string[] };
