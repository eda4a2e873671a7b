import type pg from 'pg';

/** The half of `pg`'s connection that COPY needs; its types leave these methods out. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Runs statements that end in `copy … from stdin` as one simple query, hence as one transaction. */
export function runCopy(client: pg.Client, text: string, data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(text, data, (error) => (error === null ? resolve() : reject(error))));
  });
}

class CopyIn implements pg.Submittable {
  readonly #text: string;
  readonly #data: Buffer;
  #finish: (error: Error | null) => void;

  constructor(text: string, data: Buffer, finish: (error: Error | null) => void) {
    this.#text = text;
    this.#data = data;
    this.#finish = finish;
  }

  submit(connection: unknown): void {
    (connection as CopyConnection).query(this.#text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(this.#data);
    connection.endCopyFrom();
  }

  handleError(error: Error): void {
    this.#finish(error);
    this.#finish = () => undefined;
  }

  handleReadyForQuery(): void {
    this.#finish(null);
  }

  handleCommandComplete(): void {
    // One for each statement of the query; only the end of all matters.
  }
}
