import { createHash, hash, randomBytes } from 'node:crypto';
import { portableSha256, type Sha256 } from '../../domain/sha256.ts';
import type { Hash } from '../../domain/types.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { median } from './measure.ts';

export interface HashingFigures {
  readonly implementation: string;
  readonly messageBytes: number;
  readonly nanos: number;
}

/** Ways to SHA-256 on Node. Each returns bytes that nobody else writes to. */
const implementations: Readonly<Record<string, Sha256>> = {
  'nodeSha256 (in use)': nodeSha256,
  "crypto.hash to 'buffer'": (message) => hash('sha256', message, 'buffer') as Uint8Array as Hash,
  createHash: (message) => createHash('sha256').update(message).digest() as Uint8Array as Hash,
  'portable (@noble/hashes)': portableSha256,
};

const messageCount = 256;
const hashesPerRound = 20_000;
const roundsMin = 7;

/** Nanoseconds a hash: medians of rounds in which the implementations take turns. */
export function measureHashing(messageSizes: readonly number[], measureMs: number): HashingFigures[] {
  return messageSizes.flatMap((messageBytes) => {
    const messages = Array.from({ length: messageCount }, () => new Uint8Array(randomBytes(messageBytes)));
    const nanos = Object.entries(implementations).map(([implementation, sha256]) => {
      runRound(sha256, messages); // To warm up.
      return { implementation, sha256, rounds: [] as number[] };
    });
    const untilMs = performance.now() + measureMs;
    for (let round = 0; round < roundsMin || performance.now() < untilMs; round++) {
      for (const { sha256, rounds } of nanos) rounds.push(runRound(sha256, messages));
    }
    return nanos.map(({ implementation, rounds }) => ({
      implementation,
      messageBytes,
      nanos: median(rounds),
    }));
  });
}

/** The last digests, kept so that nothing is optimised away. */
const kept: Hash[] = [];

function runRound(sha256: Sha256, messages: readonly Uint8Array[]): number {
  const startMs = performance.now();
  for (let turn = 0; turn < hashesPerRound; turn++) {
    kept[turn % messageCount] = sha256(messages[turn % messageCount]!);
  }
  return ((performance.now() - startMs) * 1_000_000) / hashesPerRound;
}
