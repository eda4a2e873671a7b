import { advice, type Finding, ok, problem } from './finding.ts';

const adviceMs = 500;
const problemMs = 5_000;

interface ClockReading {
  /** By the clock of this machine, in milliseconds since 1970. */
  readonly askedMs: number;
  readonly answeredMs: number;
  /** By the other clock, at some moment between the two. */
  readonly clockMs: number;
}

/** How far another clock is from this machine's, as far as the time that the answer took lets it be known. */
export function judgeClock(whose: string, { askedMs, answeredMs, clockMs }: ClockReading): Finding {
  const offMs = Math.round(clockMs < askedMs ? askedMs - clockMs : Math.max(0, clockMs - answeredMs));
  const what = `the clock of ${whose} is ${offMs} ms off, beyond the ${answeredMs - askedMs} ms that its answer took`;
  if (offMs < adviceMs) return ok(what);
  const say = offMs < problemMs ? advice : problem;
  return say(
    what,
    'order never depends on clocks, but times of events, expiry of tokens and limits by the minute do',
    'run NTP (chrony, systemd-timesyncd) on every machine',
  );
}
