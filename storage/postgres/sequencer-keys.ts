import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { InvariantBroken } from '../../domain/errors.ts';
import type { Uuid } from '../../domain/types.ts';
import type { SequencerKeys } from '../sequencer-keys.ts';
import { findSequencerIdentity } from './queries/find-sequencer-identity.query.ts';
import { insertSequencerKey } from './queries/insert-sequencer-key.query.ts';
import { listSequencerKeys } from './queries/list-sequencer-keys.query.ts';
import { makeSequencerIdentity } from './queries/make-sequencer-identity.query.ts';
import { replaceSequencerIdentity } from './queries/replace-sequencer-identity.query.ts';
import { touchSequencerKey } from './queries/touch-sequencer-key.query.ts';
// As for API keys, the changes go the way of reads: each may be repeated.
import { read as run } from './query.ts';

/** The sequencer's identity and keys in Postgres. */
export function postgresSequencerKeys(pool: Pick<pg.Pool, 'query'>): SequencerKeys {
  return {
    async identity(given) {
      if (given !== null) await run(pool, replaceSequencerIdentity, given);
      const [known] = await run(pool, findSequencerIdentity, null);
      if (known !== undefined) return known;
      // Of several nodes that start on a new database at once, one makes it, and all read what that one made.
      await run(pool, makeSequencerIdentity, randomUUID() as string as Uuid);
      const [made] = await run(pool, findSequencerIdentity, null);
      if (made === undefined) throw new InvariantBroken('the table sequencer_identity stays empty');
      return made;
    },

    async recordUse(publicKey, nodeId) {
      const use = { publicKey, nodeId };
      // First as a key that is known: an insertion uses a version up even when it finds the key there.
      const [known] = await run(pool, touchSequencerKey, use);
      const version = known ?? (await run(pool, insertSequencerKey, use))[0];
      if (version === undefined) throw new InvariantBroken('the table sequencer_keys does not take a key');
      return version;
    },

    list: () => run(pool, listSequencerKeys, null),
  };
}
