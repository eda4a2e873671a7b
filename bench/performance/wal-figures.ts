import { withClient } from '../target/postgres.ts';

/** What a server has written to its WAL so far, and how many checkpoints it has completed. */
export interface WalFigures {
  readonly bytes: number;
  /** Pages written whole, as the first change of each after a checkpoint is. */
  readonly pageImages: number;
  readonly checkpoints: number;
}

/** Sessions report page images at most once a second, so those of the last second may be missing. */
export async function readWal(url: string): Promise<WalFigures> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<Record<keyof WalFigures, string>>(
      `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as bytes, w.wal_fpi as "pageImages",
              c.num_done as checkpoints
         from pg_stat_wal w, pg_stat_checkpointer c`,
    );
    const { bytes, pageImages, checkpoints } = rows[0]!;
    return { bytes: Number(bytes), pageImages: Number(pageImages), checkpoints: Number(checkpoints) };
  });
}

/** Between two readings, for each of so many events; checkpoints in all. */
export function walPerEvent(before: WalFigures, after: WalFigures, events: number): WalFigures {
  const each = (field: 'bytes' | 'pageImages'): number =>
    (after[field] - before[field]) / Math.max(events, 1);
  return {
    bytes: each('bytes'),
    pageImages: each('pageImages'),
    checkpoints: after.checkpoints - before.checkpoints,
  };
}
