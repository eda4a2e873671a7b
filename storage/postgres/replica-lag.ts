/** Where two servers are in the same WAL, at one moment. */
export interface WalPositions {
  readonly primary: number;
  /** What the replica has replayed. */
  readonly replica: number;
  readonly atMs: number;
}

/** Of a replica that stands still for hours: the first of them says for how long. */
const looksMax = 600;

/**
 * For how long a replica has lacked what its primary had. Postgres itself tells when the replica replayed last, which grows
 * while the primary has nothing to do; so the positions of the primary are remembered until the replica gets there.
 */
export class ReplicaLag {
  /** In order; all beyond what the replica has replayed. */
  private readonly missing: { readonly position: number; readonly atMs: number }[] = [];

  /** @returns seconds, as exact as the looks are frequent */
  look({ primary, replica, atMs }: WalPositions): number {
    while (this.missing[0] !== undefined && this.missing[0].position <= replica) this.missing.shift();
    const last = this.missing.at(-1)?.position ?? replica;
    if (primary > last && this.missing.length < looksMax) this.missing.push({ position: primary, atMs });
    const [oldest] = this.missing;
    return oldest === undefined ? 0 : (atMs - oldest.atMs) / 1_000;
  }

  /** For when the two no longer write the same WAL. */
  forget(): void {
    this.missing.length = 0;
  }
}
