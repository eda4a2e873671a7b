import type { Log } from '../telemetry/log.ts';

/** What the start command tells its user. */
export interface Output {
  /** What happens now, as a sentence. */
  say(this: void, sentence: string): void;
  /** What the node is and how to use it: lines for a person, fields for a collector, which gets no secret. */
  welcome(this: void, lines: readonly string[], fields: object): void;
}

/** On standard output for a person; in the log, as JSON like everything else, when a machine reads along. */
export function openOutput(format: 'text' | 'json', log: Log): Output {
  if (format === 'json') {
    return {
      say: (sentence) => log.info(sentence),
      welcome: (_lines, fields) => log.info(fields, 'the node answers'),
    };
  }
  // A reader that went away, such as head, must not take the node with it.
  process.stdout.on('error', () => undefined);
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  return { say: print, welcome: (lines) => lines.forEach(print) };
}
