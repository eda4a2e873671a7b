import type { TextForm } from './number.ts';
import { JsonReader } from './reader.ts';

/**
 * The canonical text of one JSON document, as UTF-8.
 * @throws Refused with `UNREADABLE_JSON` when the bytes are no JSON, or hold what no hash is defined for
 */
export function canonicalText(document: Uint8Array, form: TextForm): Uint8Array {
  const reader = readers[form];
  reader.open(document);
  reader.finish(reader.value(reader.space(0), 0));
  return reader.output.slice(0, reader.end);
}

const readers: Readonly<Record<TextForm, JsonReader>> = {
  legacy: new JsonReader('legacy'),
  jcs: new JsonReader('jcs'),
};
