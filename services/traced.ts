import type { Span, SpanStart, Tracing } from '../telemetry/tracing.ts';
import { readError } from './broker-errors.ts';

/** Runs something within a span, which ends with it; without tracing it just runs. */
export function traced<Result>(
  tracing: Tracing | undefined,
  name: string,
  start: SpanStart,
  run: (span: Span | null) => Promise<Result>,
): Promise<Result> {
  if (tracing === undefined) return run(null);
  const span = tracing.start(name, start);
  return run(span).then(
    (result) => {
      span.end();
      return result;
    },
    (error: unknown) => {
      // The code alone: messages may hold what a client sent.
      span.end(readError(error)?.code ?? 'UNFORESEEN');
      throw error;
    },
  );
}
