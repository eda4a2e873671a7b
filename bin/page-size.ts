/** How many events to ask for at once, so that a page stays small enough for memory however large the events are. */
export class PageSize {
  private events = firstPageEvents;

  get current(): number {
    return this.events;
  }

  /** Learns from a page how large events are. */
  read(eventCount: number, bytes: number): void {
    if (eventCount === 0) return;
    const fitting = Math.floor((pageBytes * eventCount) / Math.max(bytes, 1));
    this.events = Math.min(pageEventsMax, 2 * this.events, Math.max(1, fitting));
  }

  /**
   * Asks for fewer than what was too much.
   * @returns false when there is nothing less to ask for
   */
  shrink(asked: number): boolean {
    if (asked === 1) return false;
    this.events = Math.floor(asked / 2);
    return true;
  }
}

/** At a megabyte each, still bearable. */
const firstPageEvents = 100;
const pageEventsMax = 1_000;
const pageBytes = 8_388_608;
