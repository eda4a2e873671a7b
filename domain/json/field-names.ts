import { utf8Bytes } from '../bytes.ts';

/** The names of the members of one kind of object, at most 31; finds them among the bytes, with no string in between. */
export class FieldNames<Name extends string> {
  /** By length: the names of that length, each with its number. */
  private readonly byLength: { readonly bytes: Uint8Array; readonly field: number }[][] = [];
  readonly names: readonly Name[];

  constructor(names: readonly Name[]) {
    this.names = names;
    names.forEach((name, field) => {
      const bytes = utf8Bytes(name);
      (this.byLength[bytes.length] ??= []).push({ bytes, field });
    });
  }

  /** The number of the name that lies at `start` … `end`, which is its place in the list, or -1. */
  find(text: Uint8Array, start: number, end: number): number {
    const sameLength = this.byLength[end - start];
    if (sameLength === undefined) return -1;
    for (const { bytes, field } of sameLength) {
      let index = 0;
      while (index < bytes.length && bytes[index] === text[start + index]) index++;
      if (index === bytes.length) return field;
    }
    return -1;
  }
}

/** The last value that a field had, for fields that say the same in event after event. */
export class Repeated<Value> {
  private readonly bytes = new Uint8Array(64);
  private length = -1;
  private value: Value | null = null;

  /** The value, if it was read from the same bytes; else null. */
  recall(text: Uint8Array, end: number): Value | null {
    if (end !== this.length) return null;
    for (let index = 0; index < end; index++) if (text[index] !== this.bytes[index]) return null;
    return this.value;
  }

  keep(text: Uint8Array, end: number, value: Value): void {
    if (end > this.bytes.length) return;
    this.bytes.set(text.subarray(0, end));
    this.length = end;
    this.value = value;
  }
}
