import { toHex, utf8Bytes } from '../../domain/bytes.ts';
import { writeLegacyEvent } from '../../domain/legacy/response.ts';
import type { Sequence, StreamKey, Uuid } from '../../domain/types.ts';
import { writeVesEvent } from '../../domain/ves/response.ts';
import { commitmentBodies } from '../../services/gateway/handlers/commitment-body.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import type { PayloadVault } from '../../storage/payloads/payload-vault.ts';
import type { LogScan, ScannedStore } from '../../storage/postgres/log-scan.ts';
import { ExportFailed } from './export-failed.ts';
import type { ExportedEventText, ExportSource } from './export-source.ts';
import { PageSize } from '../page-size.ts';

/** What a receipt names when the database has no identity yet, and so nothing signed either. */
const nobody = '00000000-0000-0000-0000-000000000000' as Uuid;

/**
 * Reads a stream from the database, with what no route shows: the leaf and the signing hash as they are stored. It
 * throws PayloadUnreadable and PayloadDamaged where a payload can't be opened.
 * @throws ExportFailed when the database has no such store
 */
export async function databaseSource(
  scan: LogScan,
  vault: PayloadVault,
  stream: StreamKey,
  close: () => Promise<void>,
): Promise<ExportSource> {
  const { world } = stream;
  const [store] = await scan.stores(stream.tenantId, stream.storeId);
  if (store === undefined) throw new ExportFailed('the database has no events of this store');
  const { storeNumber } = store;
  const context = { sequencerId: (await scan.sequencerId()) ?? nobody, sha256: nodeSha256 };
  const page = new PageSize();

  return {
    head: () => Promise.resolve(headOf(store, stream)),

    async sequencer() {
      const keys = await scan.sequencerKeys();
      return {
        sequencerId: await scan.sequencerId(),
        keys: keys.map(({ keyVersion, publicKey }) => ({ keyVersion, publicKey: toHex(publicKey) })),
      };
    },

    async commitments(from, limit) {
      const found = await scan.commitments(storeNumber, world, { after: from - 1, limit });
      return found.map(({ commitment }) => ({
        sequenceEnd: commitment.sequenceEnd,
        body: commitmentBodies[world].whole(commitment),
      }));
    },

    async events(from, to) {
      const range = {
        storeNumber,
        from: from as Sequence,
        to: Math.min(to, from + page.current - 1) as Sequence,
      };
      const texts = world === 'ves' ? await vesEvents(range) : await legacyEvents(range);
      page.read(
        texts.length,
        texts.reduce((sum, { members }) => sum + members.length, 0),
      );
      return { events: texts, next: range.to + 1 };
    },

    async agentKey(ref) {
      const key = await scan.agentKey(ref);
      if (key === null) return null;
      const { tenantId, agentId, keyId, publicKey } = key;
      return { tenantId, agentId, keyId, publicKey: toHex(publicKey) };
    },

    close,
  };

  type Range = Parameters<LogScan['vesEvents']>[0];

  async function vesEvents(range: Range): Promise<ExportedEventText[]> {
    const events = await vault.open('ves', await scan.vesEvents(range));
    return events.map((event) => ({
      sequence: event.sequence,
      members: Buffer.concat([
        utf8Bytes(`"signing_hash":"${toHex(event.signingHash)}","leaf_hash":"${toHex(event.leafHash)}",`),
        writeVesEvent(event, context).subarray(1, -1),
      ]),
      signedBy: { tenantId: event.tenantId, agentId: event.sourceAgent, keyId: event.agentKeyId },
    }));
  }

  async function legacyEvents(range: Range): Promise<ExportedEventText[]> {
    const events = await vault.open('legacy', await scan.legacyEvents(range));
    return events.map((event) => ({
      sequence: event.sequence,
      members: Buffer.concat([
        utf8Bytes(`"leaf_hash":"${toHex(event.leafHash)}","event":`),
        writeLegacyEvent(event),
      ]),
      signedBy: null,
    }));
  }
}

function headOf(store: ScannedStore, { world }: StreamKey): number {
  return store[world].head;
}
