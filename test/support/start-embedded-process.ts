import {
  openEmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../../storage/embedded/embedded-postgres.ts';

/** A process of its own that opens the embedded Postgres, to be killed: tells its parent what happens. */
const options = JSON.parse(process.argv[2] ?? '{}') as EmbeddedPostgresOptions;
const tell = (message: object) => process.send?.(message);
const { url, adopted } = await openEmbeddedPostgres({
  ...options,
  onProgress: (sentence) => tell({ sentence }),
});
tell({ url, adopted });
