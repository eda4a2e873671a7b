/** Root object, list of events, event, envelope. */
const envelopeDepth = 4;
const key = '"payload":';

/**
 * Cuts the payloads out of the text of an event page, character by character as the server sent them: parsing and
 * writing them again would hide changed number tokens, escapes and spaces.
 *
 * The page must be compact JSON, as all answers are.
 */
export function payloadTexts(page: string): string[] {
  const texts: string[] = [];
  let depth = 0;
  let start: number | null = null;
  for (let at = 0; at < page.length; at += 1) {
    const character = page[at];
    if (character === '"') {
      if (depth === envelopeDepth && start === null && page.startsWith(key, at)) {
        at += key.length - 1;
        start = at + 1;
      } else {
        at = endOfString(page, at);
      }
      continue;
    }
    if (depth === envelopeDepth && start !== null && (character === ',' || character === '}')) {
      texts.push(page.slice(start, at));
      start = null;
    }
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
  }
  return texts;
}

/** The place of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
