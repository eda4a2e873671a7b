/**
 * About how many instructions an automaton for a regular expression has, worked out without building it: a few characters
 * of nested repetition are enough to name one that fills the memory.
 * @returns infinity for what no regular expression begins with
 */
export function patternSize(pattern: string): number {
  /** For each open group what stands before its last item, and that item, which a repetition would multiply. */
  const groups: { before: number; last: number }[] = [{ before: 0, last: 0 }];
  for (let at = 0; at < pattern.length;) {
    const group = groups.at(-1);
    if (group === undefined) return Infinity;
    const character = pattern[at];
    let end = at + 1;
    if (character === '(') {
      groups.push({ before: 2, last: 0 });
    } else if (character === ')') {
      groups.pop();
      append(groups.at(-1), group.before + group.last);
    } else if (character === '{' && repetition.test(pattern.slice(at, at + repetitionLengthMax))) {
      const [text = '', least = '', most = ''] = repetition.exec(pattern.slice(at)) ?? [];
      group.last *= Math.max(1, Number(least), Number(most));
      end = at + text.length;
    } else if (character === '*' || character === '+' || character === '?') {
      group.last += 1;
    } else {
      end = itemEnd(pattern, at);
      append(group, 1);
    }
    at = end;
  }
  return groups.reduce((sum, { before, last }) => sum + before + last, 0);
}

const repetitionLengthMax = 24;
const repetition = /^\{(\d{1,9})(?:,(\d{0,9}))?\}/;

function append(group: { before: number; last: number } | undefined, size: number): void {
  if (group === undefined) return;
  group.before += group.last;
  group.last = size;
}

/** Where a character, an escape or a class ends. */
function itemEnd(pattern: string, at: number): number {
  if (pattern[at] === '\\') {
    const braced = /^\\[pPxu]\{[^}]*\}/.exec(pattern.slice(at, at + 64));
    return at + (braced?.[0].length ?? 2);
  }
  if (pattern[at] !== '[') return at + 1;
  let end = at + 1;
  if (pattern[end] === '^') end += 1;
  while (end < pattern.length && pattern[end] !== ']') end += pattern[end] === '\\' ? 2 : 1;
  return end + 1;
}
