/**
 * The path of the value that an offset lies in or before, as `events[3].payload.total`; empty for the whole document.
 * Worked out only when something is wrong, so that reading keeps no path.
 * @param bytes JSON that is well formed up to `offset`
 */
export function pathAt(bytes: Uint8Array, offset: number): string {
  const levels: Level[] = [];
  for (let at = 0; at < offset; at++) {
    const level = levels.at(-1);
    switch (bytes[at]) {
      case 0x7b:
        levels.push({ index: -1, name: null, nameIsNext: true });
        break;
      case 0x5b:
        levels.push({ index: 0, name: null, nameIsNext: false });
        break;
      case 0x7d:
      case 0x5d:
        levels.pop();
        break;
      case 0x2c:
        if (level === undefined) break;
        if (level.index >= 0) level.index++;
        else Object.assign(level, { name: null, nameIsNext: true });
        break;
      case 0x22: {
        const end = stringEnd(bytes, at, offset);
        if (level?.nameIsNext) {
          level.name = textOf(bytes.subarray(at, end));
          level.nameIsNext = false;
        }
        at = end - 1;
        break;
      }
    }
  }
  return levels.map(step).join('').replace(/^\./, '');
}

/** At most 80 characters of the JSON text between two offsets, for a message. */
export function excerpt(bytes: Uint8Array, start: number, end: number): string {
  // A character takes at most four bytes, and a cut one turns into a mark.
  const text = lenient.decode(bytes.subarray(start, Math.min(end, start + 4 * excerptMax)));
  return text.length > excerptMax ? `${text.slice(0, excerptMax - 1)}…` : text;
}

interface Level {
  /** The place in an array; -1 in an object. */
  index: number;
  /** The member that the walk is in; null before the first. */
  name: string | null;
  nameIsNext: boolean;
}

const excerptMax = 80;
const lenient = new TextDecoder();

function step({ index, name }: Level): string {
  if (index >= 0) return `[${index}]`;
  if (name === null) return '';
  return /^[A-Za-z_][\w-]*$/.test(name) && name.length <= excerptMax
    ? `.${name}`
    : `[${JSON.stringify(name.slice(0, excerptMax))}]`;
}

/** Where the string that opens at `at` ends, or `limit`. */
function stringEnd(bytes: Uint8Array, at: number, limit: number): number {
  for (let index = at + 1; index < limit; index++) {
    if (bytes[index] === 0x22) return index + 1;
    if (bytes[index] === 0x5c) index++;
  }
  return limit;
}

function textOf(quoted: Uint8Array): string {
  const text = lenient.decode(quoted);
  try {
    return JSON.parse(text) as string;
  } catch {
    // The offset lies inside this very name.
    return text.slice(1);
  }
}
