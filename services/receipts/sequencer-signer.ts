import type { ReceiptSigner } from '../../actors/receipt-signer.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Hash, Uuid } from '../../domain/types.ts';
import type { ReceiptSignature } from '../../domain/ves/event.ts';
import type { SequencerKeys } from '../../storage/sequencer-keys.ts';
import type { Log } from '../../telemetry/log.ts';
import { openSigningKey, type SigningKey } from '../node-ed25519.ts';

export interface SequencerSignerDependencies {
  readonly sequencerId: Uuid;
  readonly nodeId: string;
  /** 32 bytes: the private key. */
  readonly seed: Uint8Array;
  readonly keys: Pick<SequencerKeys, 'recordUse'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
}

/** So far, at most, the recorded end of a key's period lags behind its last signature. */
const recordIntervalMs = 60_000;

/**
 * Signs for the sequencer with this node's key, off the event loop. The key was recorded, with its version, before it signed
 * anything, so whatever carries its signature can be checked.
 */
export class SequencerSigner {
  readonly sequencerId: Uuid;
  readonly keyVersion: number;
  private readonly deps: SequencerSignerDependencies;
  private readonly key: SigningKey;
  private recordedMs: number;

  /** @throws LogUnavailable when the key can't be recorded */
  static async open(deps: SequencerSignerDependencies): Promise<SequencerSigner> {
    const key = openSigningKey(deps.seed);
    const keyVersion = await deps.keys.recordUse(key.publicKey, deps.nodeId);
    return new SequencerSigner(deps, key, keyVersion);
  }

  private constructor(deps: SequencerSignerDependencies, key: SigningKey, keyVersion: number) {
    this.deps = deps;
    this.sequencerId = deps.sequencerId;
    this.key = key;
    this.keyVersion = keyVersion;
    this.recordedMs = deps.clock.monotonicMs();
  }

  async sign(hash: Hash): Promise<ReceiptSignature> {
    this.recordUse();
    return { signature: await this.key.sign(hash), keyVersion: this.keyVersion };
  }

  /** What the actors sign receipts with. */
  forReceipts(): ReceiptSigner {
    return { sign: (hashes) => Promise.all(hashes.map((hash) => this.sign(hash))) };
  }

  /** Now and then, and nobody waits for it: a signature is good whether or not its time is recorded. */
  private recordUse(): void {
    const { clock, keys, nodeId, log } = this.deps;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.recordedMs < recordIntervalMs) return;
    this.recordedMs = nowMs;
    keys.recordUse(this.key.publicKey, nodeId).catch((error: unknown) => {
      log.debug({ err: error }, 'the use of the signing key could not be recorded');
    });
  }
}
