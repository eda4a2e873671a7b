import { BinaryArray, type elementTypes } from './binary-encode.ts';

export type ElementType = keyof typeof elementTypes;

/** Array parameters of one table's rows, by column, in the order of the columns. */
export class ParameterArrays<Columns extends Readonly<Record<string, ElementType>>> {
  /** To write each row to: every column gets an element, or null. */
  readonly to: Readonly<Record<keyof Columns, BinaryArray>>;
  private readonly arrays: readonly BinaryArray[];

  constructor(columns: Columns) {
    const entries = Object.entries(columns).map(([name, type]) => [name, new BinaryArray(type)] as const);
    this.to = Object.fromEntries(entries) as Record<keyof Columns, BinaryArray>;
    this.arrays = entries.map(([, array]) => array);
  }

  reset(): void {
    for (const array of this.arrays) array.reset();
  }

  /** The values in the order of the columns; valid until `reset`. */
  finish(): Buffer[] {
    return this.arrays.map((array) => array.finish());
  }
}
