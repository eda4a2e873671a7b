import type { Sequence } from '../../domain/types.ts';
import { fillStream } from '../../test/support/fill-stream.ts';
import { newStream } from './made-up.ts';
import { measureLoops, type OperationFigures, type Span } from './measure.ts';
import { openScratchLog } from './scratch-log.ts';

export interface ProofFigures extends OperationFigures {
  /** Of the commitment. */
  readonly events: number;
  readonly atATime: number;
}

/** Proofs of random events as the reader makes them: a few nodes read from Postgres, and checked against the root. */
export async function measureProofs(
  serverUrl: string,
  options: { readonly sizes: readonly number[]; readonly atATime: readonly number[]; readonly span: Span },
): Promise<ProofFigures[]> {
  const log = await openScratchLog(serverUrl);
  const { pool, committer, reader } = log;
  try {
    const figures: ProofFigures[] = [];
    for (const events of options.sizes) {
      const stream = newStream('ves');
      await fillStream(pool, stream, events);
      const commitment = await committer.commit(stream, { start: 1n, end: BigInt(events) });
      await pool.query('vacuum analyze');
      const prove = async (): Promise<boolean> => {
        const sequence = (1 + Math.floor(Math.random() * events)) as Sequence;
        await reader.prove(commitment, sequence);
        return true;
      };
      for (const atATime of options.atATime) {
        const loops = Array.from({ length: atATime }, () => prove);
        figures.push({ events, atATime, ...(await measureLoops(loops, options.span)) });
      }
    }
    return figures;
  } finally {
    await log.close();
  }
}
