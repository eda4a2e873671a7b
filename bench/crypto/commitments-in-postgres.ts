import { fillStream } from '../../test/support/fill-stream.ts';
import type { CommitmentFigures } from './commitments-in-memory.ts';
import { newStream } from './made-up.ts';
import { measureLoops, type Span } from './measure.ts';
import { openScratchLog, type ScratchLog } from './scratch-log.ts';

export interface DurableCommitmentFigures extends CommitmentFigures {
  /** How many streams are committed at a time, each by one commitment after the other. */
  readonly atATime: number;
}

const streamCount = 8;

/**
 * Commitments as a node makes them: leaves read from Postgres, tree built and stored, root checked a second way, signed,
 * durable.
 * @param eventsInAll are made up by SQL beforehand; a cell ends early when all are committed
 */
export async function measureInPostgres(
  serverUrl: string,
  options: {
    readonly sizes: readonly number[];
    readonly atATime: readonly number[];
    readonly eventsInAll: number;
    readonly span: Span;
  },
): Promise<DurableCommitmentFigures[]> {
  const log = await openScratchLog(serverUrl);
  try {
    const streams = Array.from({ length: streamCount }, () => newStream('ves'));
    const eventsEach = Math.floor(options.eventsInAll / streamCount);
    for (const stream of streams) await fillStream(log.pool, stream, eventsEach);
    await log.pool.query('vacuum analyze');
    const figures: DurableCommitmentFigures[] = [];
    for (const events of options.sizes) {
      for (const atATime of options.atATime) {
        await forgetCommitments(log);
        const loops = Array.from({ length: atATime }, (_, loop) => {
          // Each loop has streams of its own, and goes through them one after the other.
          const own = streams.filter((_stream, index) => index % atATime === loop);
          const next = rangesOf(eventsEach, events, own.length);
          return async () => {
            const range = next();
            if (range === null) return false;
            await log.committer.commit(own[range.stream]!, range);
            return true;
          };
        });
        figures.push({ events, atATime, ...(await measureLoops(loops, options.span)) });
      }
    }
    return figures;
  } finally {
    await log.close();
  }
}

async function forgetCommitments({ pool }: ScratchLog): Promise<void> {
  await pool.query('truncate commitment_nodes, commitments, commitment_chains');
}

/** One range after the other, stream after stream; null after the last. */
function rangesOf(
  eventsEach: number,
  events: number,
  streams: number,
): () => { stream: number; start: bigint; end: bigint } | null {
  const rangesEach = Math.floor(eventsEach / events);
  let turn = 0;
  return () => {
    const stream = Math.floor(turn / rangesEach);
    if (stream >= streams) return null;
    const start = (turn % rangesEach) * events + 1;
    turn++;
    return { stream, start: BigInt(start), end: BigInt(start + events - 1) };
  };
}
