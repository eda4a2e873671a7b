import { Loggers } from 'moleculer';
import type { Log } from '../telemetry/log.ts';

type Bindings = Parameters<Loggers.Base<object>['getLogHandler']>[0];
type Handler = NonNullable<ReturnType<Loggers.Base<object>['getLogHandler']>>;

/** Lets the broker write into the node's own log. Its everyday messages matter only to someone who debugs it. */
export class BrokerLogger extends Loggers.Base<{ level: 'debug' }> {
  private readonly log: Log;

  constructor(log: Log) {
    super({ level: 'debug' });
    this.log = log;
  }

  override getLogHandler(bindings: Bindings): Handler {
    return (level, parts) => {
      const message = parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
      const error = parts.find((part) => part instanceof Error);
      const write = level === 'fatal' || level === 'error' ? 'error' : level === 'warn' ? 'warn' : 'debug';
      this.log[write]({ broker: bindings.mod, ...(error && { err: error }) }, message);
    };
  }
}
