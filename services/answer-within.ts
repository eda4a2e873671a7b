import type { Clock } from '../domain/clock.ts';
import { LogUnavailable } from '../domain/errors.ts';

/**
 * The answer, or LogUnavailable when it has not come in time: a lost connection can be silent for minutes.
 * @param name of what is asked, as in "the … did not answer in time"
 */
export function answerWithin<Answer>(
  clock: Pick<Clock, 'after'>,
  timeoutMs: number,
  answer: Promise<Answer>,
  name: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => {
      reject(new LogUnavailable(`the ${name} did not answer in time`, { timeoutMs }));
    });
    answer.then(resolve, reject).finally(() => timer.cancel());
  });
}
