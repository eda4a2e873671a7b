import { Loggers } from 'moleculer';
import type { LogLevels, LoggerBindings } from 'moleculer';
import type { Log } from '../telemetry/log.ts';

/** Lets the broker write into the node's own log. Its everyday messages matter only to someone who debugs it. */
export class BrokerLogger extends Loggers.Base {
  private readonly log: Log;

  constructor(log: Log) {
    super();
    this.log = log;
  }

  override getLogHandler(bindings: LoggerBindings) {
    return (level: LogLevels, parts: unknown[]) => {
      const message = parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
      const error = parts.find((part) => part instanceof Error);
      const write = level === 'fatal' || level === 'error' ? 'error' : level === 'warn' ? 'warn' : 'debug';
      this.log[write]({ broker: bindings.mod, ...(error && { err: error }) }, message);
    };
  }
}
