import { pino } from 'pino';
import type { Logger as PinoLogger } from 'pino';
import pretty from 'pino-pretty';

/** What every module logs through; handed in, never reached for. Fields first, then a sentence. */
export type Log = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  readonly level: LogLevel;
  /** `text` is for people at a terminal, `json` is one object a line. */
  readonly format: 'text' | 'json';
  /** Written into every line as `service` and `node`. */
  readonly serviceName: string;
  readonly nodeId: string;
}

/** Names that may hold a secret; their values never reach a log line, wherever they come from. */
const secretFields = [
  'authorization',
  'password',
  'apiKey',
  'databaseUrl',
  'natsUrl',
  'bootstrapKey',
  'jwtSecret',
];

/** The node's log, on standard error: standard output is for what the start command tells its user. */
export function openLog({ level, format, serviceName, nodeId }: LogOptions): PinoLogger {
  const redact = { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: '[secret]' };
  const options = { level, redact, base: { service: serviceName, node: nodeId } };
  if (format === 'json') return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(
    options,
    pretty({ destination: 2, sync: true, ignore: 'pid,hostname,service,node', singleLine: true }),
  );
}
