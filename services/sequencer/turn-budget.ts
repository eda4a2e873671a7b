interface Waiting {
  readonly byteCount: number;
  readonly begin: () => void;
}

/** How a turn of the event loop ends: the next one begins by calling back. */
export type OnNextTurn = (run: () => void) => void;

/**
 * Bounds how many bytes of requests are read in one turn of the event loop. A large request takes milliseconds; many of
 * them in one turn would keep the loop from accepting connections, from answers of Postgres, and from turning others
 * away quickly. Each is read as a whole; in the order of arrival.
 */
export class TurnBudget {
  private readonly bytesPerTurn: number;
  private readonly onNextTurn: OnNextTurn;
  private readonly waiting: Waiting[] = [];
  private left: number;
  private turnAnnounced = false;

  constructor(bytesPerTurn: number, onNextTurn: OnNextTurn = setImmediate) {
    this.bytesPerTurn = bytesPerTurn;
    this.onNextTurn = onNextTurn;
    this.left = bytesPerTurn;
  }

  /** Resolves when a request of this size may be read: at once while the turn has something left. */
  async take(byteCount: number): Promise<void> {
    this.announceTurn();
    if (this.left > 0 && this.waiting.length === 0) {
      this.left -= byteCount;
      return;
    }
    await new Promise<void>((begin) => this.waiting.push({ byteCount, begin }));
  }

  private announceTurn(): void {
    if (this.turnAnnounced) return;
    this.turnAnnounced = true;
    this.onNextTurn(() => {
      this.turnAnnounced = false;
      this.left = this.bytesPerTurn;
      while (this.left > 0) {
        const next = this.waiting.shift();
        if (next === undefined) return;
        this.left -= next.byteCount;
        next.begin();
      }
      this.announceTurn();
    });
  }
}
