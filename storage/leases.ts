/** Work that one node does for all: bounded, since it names metrics' series. */
export type LeaderRole = 'commitments' | 'retention';

export interface LeaseHolder {
  readonly nodeId: string;
  /** Of the process. */
  readonly instanceId: string;
}

/** Who does the work, as the database sees it. */
export interface Lease extends LeaseHolder {
  /** Raised when the lease goes to another holder. */
  readonly term: number;
  /** When the term began; RFC 3339. */
  readonly since: string;
  /** What is left of it; 0 or less when it is over and nobody has taken it. */
  readonly leftMs: number;
}

/**
 * Leases on work, judged by one clock, that of the database. They are hints: two nodes may do the same work for a while, as
 * when one was frozen and does not know yet that its lease is over.
 */
export interface Leases {
  /**
   * Renews the lease of this holder, or takes one that is over or was never held; else changes nothing.
   * @returns whose it is now
   * @throws LogUnavailable when that is not known; it may have been taken or renewed
   */
  hold(role: LeaderRole, holder: LeaseHolder, leaseMs: number): Promise<Lease>;
  /** Ends the lease of this holder, so that another may take it at once; nothing when it has none. @throws LogUnavailable */
  release(role: LeaderRole, holder: LeaseHolder): Promise<void>;
}
