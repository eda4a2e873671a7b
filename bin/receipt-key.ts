import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import type { Settings } from '../config/read-settings.ts';
import { toHex } from '../domain/bytes.ts';
import type { Uuid } from '../domain/types.ts';
import { parseUuid } from '../domain/uuid.ts';
import { SequencerSigner } from '../services/receipts/sequencer-signer.ts';
import { readSigningKey } from '../services/receipts/signing-key.ts';
import { systemClock } from '../services/system-clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { DataDir } from './data-dir.ts';
import { StartProblem } from './start-problem.ts';
import type { Storage } from './storage.ts';

/** Who the sequencer is, and with what it signs on this node. */
export interface Identity {
  readonly sequencerId: Uuid;
  /** Null when nothing is signed here. */
  readonly signer: SequencerSigner | null;
  /** How receipts are signed, for the person who started the node. */
  readonly sentence: string;
}

export interface IdentityOptions {
  readonly storage: Storage;
  readonly dataDir: DataDir;
  readonly nodeId: string;
  readonly log: Log;
}

/** In DATA_DIR: 32 bytes as hex, for the owner's eyes only. */
export const receiptKeyFile = 'receipt-signing-key';

/**
 * Finds the key that signs receipts: the one that was set, else the one in the data directory, which is made at first.
 * @throws StartProblem when the kept one can't be read
 */
export async function openIdentity(settings: Settings, options: IdentityOptions): Promise<Identity> {
  const { storage, dataDir, nodeId, log } = options;
  const { vesSequencerId, vesReceiptSigning, vesSequencerSigningKey: given, nodeServices } = settings;
  const { sequencerKeys: keys } = storage;
  const sequencerId = await keys.identity(vesSequencerId === null ? null : parseUuid(vesSequencerId));
  if (!nodeServices.some((service) => service !== 'gateway')) {
    return { sequencerId, signer: null, sentence: 'Receipts are signed by the nodes that sequence.' };
  }
  if (!vesReceiptSigning) {
    return { sequencerId, signer: null, sentence: 'Receipts are not signed: VES_RECEIPT_SIGNING is off.' };
  }
  const seed = given === null ? await keptSeed(dataDir) : readSigningKey(given);
  if (seed === null) throw new StartProblem('VES_SEQUENCER_SIGNING_KEY is no key of 32 bytes.');
  const signer = await SequencerSigner.open({ sequencerId, nodeId, seed, keys, clock: systemClock, log });
  const place =
    given === null ? `kept in ${join(dataDir.path, receiptKeyFile)}` : 'the one in VES_SEQUENCER_SIGNING_KEY';
  return {
    sequencerId,
    signer,
    sentence: `Receipts are signed with the key of version ${signer.keyVersion} (${place})`,
  };
}

async function keptSeed(dataDir: DataDir): Promise<Uint8Array> {
  const kept = await dataDir.read(receiptKeyFile);
  if (kept !== null) {
    const seed = readSigningKey(kept);
    if (seed !== null) return seed;
    throw new StartProblem(
      `The file ${join(dataDir.path, receiptKeyFile)} holds no key of 32 bytes: restore it, or remove it, and a new key is made.`,
    );
  }
  const seed = randomBytes(32);
  await dataDir.write(receiptKeyFile, toHex(seed));
  return seed;
}
