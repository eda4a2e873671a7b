import type { Clock } from '../../domain/clock.ts';
import { InvariantBroken } from '../../domain/errors.ts';
import { verifyInclusion } from '../../domain/merkle/inclusion-proof.ts';
import { type GroupPlaces, groupPlaces, LeafGroup } from '../../domain/merkle/leaf-group.ts';
import { positionOf } from '../../domain/merkle/node-order.ts';
import type { InclusionProof } from '../../domain/merkle/tree.ts';
import type { Sha256 } from '../../domain/sha256.ts';
import { leafIndexOf, type Sequence, type StreamKey, type Uuid, type World } from '../../domain/types.ts';
import type {
  Anchor,
  AnchorOutcome,
  CommitmentLog,
  CommitmentPage,
  StoredCommitment,
} from '../../storage/commitment-log.ts';
import { CountedCache } from '../../telemetry/counted-cache.ts';
import type { CacheFigures } from '../../telemetry/metrics/caches.ts';

export interface CommitmentReaderDependencies {
  readonly log: Pick<
    CommitmentLog,
    'find' | 'listFrom' | 'listUnanchored' | 'listPending' | 'recordAnchor' | 'readTree'
  >;
  readonly sha256: Sha256;
  readonly clock: Clock;
  readonly caches: Readonly<Record<World, WorldCacheLimits>>;
  readonly observer?: CommitmentReaderObserver;
}

export interface CommitmentReaderObserver {
  /** A commitment was recorded as standing on a chain. */
  anchored(): void;
  /** A proof was found, cached or not. */
  proved(facts: { readonly world: World; readonly siblings: number; readonly durationMs: number }): void;
}

export interface WorldCacheLimits {
  readonly commitmentsMax: number;
  readonly commitmentTtlMs: number;
  readonly proofsMax: number;
  readonly proofTtlMs: number;
}

/**
 * Commitments and proofs, from memory where that can't be out of date: nothing about a commitment changes but its anchor,
 * and that once.
 */
export class CommitmentReader {
  private readonly deps: CommitmentReaderDependencies;
  private readonly caches: Readonly<Record<World, WorldCaches>>;

  constructor(deps: CommitmentReaderDependencies) {
    this.deps = deps;
    const { caches, clock } = deps;
    this.caches = { legacy: openCaches(caches.legacy, clock), ves: openCaches(caches.ves, clock) };
  }

  /** A commitment as it is now, whoever's it is; null when there is none. */
  async find(world: World, batchId: Uuid): Promise<StoredCommitment | null> {
    // One without an anchor may have been given one on another node.
    const known = this.caches[world].commitments.getIf(batchId, ({ anchor }) => anchor !== null);
    return known ?? this.look(world, batchId);
  }

  /** A commitment of which the anchor may be out of date. */
  async findFrozen(world: World, batchId: Uuid): Promise<Omit<StoredCommitment, 'anchor'> | null> {
    return this.caches[world].commitments.get(batchId) ?? this.look(world, batchId);
  }

  /** The commitment that an event is under; null while there is none. */
  async findCovering(stream: StreamKey, sequence: Sequence): Promise<StoredCommitment | null> {
    const [found] = await this.deps.log.listFrom(stream, sequence, 1);
    return found !== undefined && found.sequenceStart <= sequence ? found : null;
  }

  listFrom(stream: StreamKey, from: Sequence, limit: number): Promise<StoredCommitment[]> {
    return this.deps.log.listFrom(stream, from, limit);
  }

  listUnanchored(stream: StreamKey, page: CommitmentPage): Promise<StoredCommitment[]> {
    return this.deps.log.listUnanchored(stream, page);
  }

  listPending(world: World, page: CommitmentPage): Promise<StoredCommitment[]> {
    return this.deps.log.listPending(world, page);
  }

  async recordAnchor(
    world: World,
    batchId: Uuid,
    anchor: Omit<Anchor, 'anchoredAt'>,
  ): Promise<AnchorOutcome> {
    const outcome = await this.deps.log.recordAnchor(world, batchId, anchor);
    this.caches[world].commitments.delete(batchId);
    if (outcome.kind === 'anchored') this.deps.observer?.anchored();
    return outcome;
  }

  /**
   * The proof that an event is under a commitment's root, from its leaf and its neighbours and the stored nodes above them:
   * some fifteen for a million leaves. They are kept for the neighbours too: who asks for one proof often asks for the next.
   * @param sequence within the commitment's range
   * @throws InvariantBroken when what is stored does not lead to the root
   */
  async prove(commitment: Omit<StoredCommitment, 'anchor'>, sequence: Sequence): Promise<InclusionProof> {
    const { clock, observer } = this.deps;
    const startedMs = clock.monotonicMs();
    const proof = await this.findProof(commitment, sequence);
    const siblings = proof.path.length;
    observer?.proved({ world: commitment.world, siblings, durationMs: clock.monotonicMs() - startedMs });
    return proof;
  }

  figures(world: World): { readonly commitments: CacheFigures; readonly proofs: CacheFigures } {
    const { commitments, proofs } = this.caches[world];
    return { commitments: commitments.figures, proofs: proofs.figures };
  }

  private async findProof(
    commitment: Omit<StoredCommitment, 'anchor'>,
    sequence: Sequence,
  ): Promise<InclusionProof> {
    const { proofs } = this.caches[commitment.world];
    const leafIndex = leafIndexOf(sequence, commitment.sequenceStart);
    const places = groupPlaces(leafIndex, commitment.leafCount);
    const key = `${commitment.batchId}/${places.firstLeaf}`;
    let group = proofs.get(key);
    if (group === undefined) {
      group = await this.readGroup(commitment, places);
      proofs.set(key, group);
    }
    return group.prove(leafIndex);
  }

  private async look(world: World, batchId: Uuid): Promise<StoredCommitment | null> {
    const found = await this.deps.log.find(world, batchId);
    if (found !== null) this.caches[world].commitments.set(batchId, found);
    return found;
  }

  private async readGroup(
    commitment: Omit<StoredCommitment, 'anchor'>,
    places: GroupPlaces,
  ): Promise<LeafGroup> {
    const { log, sha256 } = this.deps;
    const { world, batchId, sequenceStart, leafCount, root } = commitment;
    const from = (sequenceStart + places.firstLeaf) as Sequence;
    const { leaves, nodes } = await log.readTree(
      commitment,
      { from, to: (from + places.leafCount - 1) as Sequence },
      places.above.map((place) => positionOf(place, leafCount)),
    );
    const group = new LeafGroup(world, places, { leaves, above: nodes }, leafCount, sha256);
    // One proof vouches for the whole group: the node above its leaves was computed from each of them.
    if (!verifyInclusion(world, { ...group.prove(places.firstLeaf), root }, leafCount, sha256)) {
      throw new InvariantBroken(
        `what is stored of the ${places.leafCount} events from ${from} does not lead to the root of ${batchId}`,
        { batchId, from },
      );
    }
    return group;
  }
}

interface WorldCaches {
  readonly commitments: CountedCache<Uuid, StoredCommitment>;
  /** By batch id and first leaf. */
  readonly proofs: CountedCache<string, LeafGroup>;
}

function openCaches(limits: WorldCacheLimits, clock: Clock): WorldCaches {
  const timing = { ttlResolution: 0, perf: { now: () => clock.monotonicMs() } };
  return {
    commitments: new CountedCache({ max: limits.commitmentsMax, ttl: limits.commitmentTtlMs, ...timing }),
    proofs: new CountedCache({ max: limits.proofsMax, ttl: limits.proofTtlMs, ...timing }),
  };
}
