/** Where requests are counted, by key, in windows of fixed length that begin with the first points taken. */
export interface PointSource {
  /** Whether other nodes take from the same counts. */
  readonly isShared: boolean;
  /**
   * Takes points whether or not there are so many left; the caller compares. Points are at most a billion in a window.
   * @throws Error when the counts can't be reached
   */
  consume(key: string, points: number, windowMs: number): Promise<PointState>;
  /** The key need not be remembered on this node any longer. */
  forget(key: string): void;
}

export interface PointState {
  /** All points of the window, these included. */
  readonly consumed: number;
  readonly resetInMs: number;
}
