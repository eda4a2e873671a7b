import type { Part } from './part.ts';
import { caches } from './parts/caches.ts';
import { cluster } from './parts/cluster.ts';
import { commitments } from './parts/commitments.ts';
import { history } from './parts/history.ts';
import { ingest } from './parts/ingest.ts';
import { keyLookup } from './parts/key-lookup.ts';
import { profile } from './parts/profile.ts';
import { queries } from './parts/queries.ts';
import { signed } from './parts/signed.ts';
import { streams } from './parts/streams.ts';
import { tiers } from './parts/tiers.ts';
import { verification } from './parts/verification.ts';

/** In the order in which they are measured. */
export const parts: readonly Part[] = [
  ingest,
  profile,
  tiers,
  signed,
  commitments,
  verification,
  keyLookup,
  queries,
  caches,
  streams,
  cluster,
  history,
];
