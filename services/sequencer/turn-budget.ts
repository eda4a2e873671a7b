interface Waiting {
  readonly byteCount: number;
  readonly begin: () => void;
}

/** How a turn of the event loop ends: the next one begins by calling back. */
export type OnNextTurn = (run: () => void) => void;

/**
 * Bounds how many bytes of requests are read in one turn of the event loop. A large request takes milliseconds; many of
 * them in one turn would keep the loop from accepting connections, from answers of Postgres, and from turning others
 * away quickly. Each is read as a whole: one of each tenant in turn, and a tenant's own in the order of arrival, so that
 * nobody waits for more than one request of every other tenant before their own.
 */
export class TurnBudget {
  private readonly bytesPerTurn: number;
  private readonly onNextTurn: OnNextTurn;
  /** By tenant, in the order of their turns; a tenant with nothing that waits is not in it. */
  private readonly waiting = new Map<string, Waiting[]>();
  private left: number;
  private turnAnnounced = false;

  constructor(bytesPerTurn: number, onNextTurn: OnNextTurn = setImmediate) {
    this.bytesPerTurn = bytesPerTurn;
    this.onNextTurn = onNextTurn;
    this.left = bytesPerTurn;
  }

  /** Resolves when so much of the tenant's requests may be read: at once while the turn has something left. */
  async take(tenantId: string, byteCount: number): Promise<void> {
    this.announceTurn();
    if (this.left > 0 && this.waiting.size === 0) {
      this.left -= byteCount;
      return;
    }
    await new Promise<void>((begin) => {
      const ofTenant = this.waiting.get(tenantId);
      if (ofTenant === undefined) this.waiting.set(tenantId, [{ byteCount, begin }]);
      else ofTenant.push({ byteCount, begin });
    });
  }

  private announceTurn(): void {
    if (this.turnAnnounced) return;
    this.turnAnnounced = true;
    this.onNextTurn(() => {
      this.turnAnnounced = false;
      this.left = this.bytesPerTurn;
      while (this.left > 0) {
        const next = this.next();
        if (next === undefined) return;
        this.left -= next.byteCount;
        next.begin();
      }
      this.announceTurn();
    });
  }

  private next(): Waiting | undefined {
    const [turn] = this.waiting;
    if (turn === undefined) return undefined;
    const [tenantId, requests] = turn;
    const next = requests.shift();
    this.waiting.delete(tenantId);
    if (requests.length > 0) this.waiting.set(tenantId, requests); // Behind all others.
    return next;
  }
}
