import { randomUUID } from 'node:crypto';

/** The caller's own id when it can stand in a header and a log line, else a fresh one. */
export function wireRequestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && readable.test(given) ? given : randomUUID();
}

/** Visible ASCII and inner spaces; long enough for every tracing scheme in use. */
const readable = /^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/;
