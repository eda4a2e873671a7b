import { crc32 } from 'node:zlib';
import type { Epoch, Hash, Sequence, World } from '../../domain/types.ts';
import { uuidFromBytes, writeUuid } from '../../domain/uuid.ts';
import type { KnownEvent, KnownHead } from './known-head.ts';

/**
 * A known head in the file, all numbers big-endian: tenant (16 bytes), store (16), epoch (8), then of each world the sequence
 * (8) and the leaf hash (32), zeros where there is none, and a CRC-32 of all of it (4), which is left open in memory.
 */
export const recordBytes = 124;

const epochAt = 32;
const worldAt = { legacy: 40, ves: 80 } as const satisfies Record<World, number>;
const crcAt = 120;

/** Writes `head` at `offset`, but for the CRC. */
export function writeRecord(head: KnownHead, target: Buffer, offset: number): void {
  writeUuid(head.tenantId, target, offset);
  writeUuid(head.storeId, target, offset + 16);
  writeEpoch(head.epoch, target, offset);
  writeEvent('legacy', head.legacy, target, offset);
  writeEvent('ves', head.ves, target, offset);
}

/** Changes the epoch of the record at `offset`. */
export function writeEpoch(epoch: Epoch, target: Buffer, offset: number): void {
  writeInteger(epoch, target, offset + epochAt);
}

/** Changes what the record at `offset` says of one world. */
export function writeEvent(world: World, event: KnownEvent | null, target: Buffer, offset: number): void {
  const at = offset + worldAt[world];
  writeInteger(event?.sequence ?? 0, target, at);
  if (event === null) target.fill(0, at + 8, at + 40);
  else target.set(event.leafHash, at + 8);
}

/** Closes the record at `offset` for the file. */
export function sealRecord(target: Buffer, offset: number): void {
  target.writeUInt32BE(crc32(target.subarray(offset, offset + crcAt)), offset + crcAt);
}

/** Whether the record at `offset` is as it was sealed. */
export function isIntact(source: Buffer, offset: number): boolean {
  return crc32(source.subarray(offset, offset + crcAt)) === source.readUInt32BE(offset + crcAt);
}

/** The head at `offset`. */
export function readRecord(source: Buffer, offset: number): KnownHead {
  return {
    tenantId: uuidFromBytes(source.subarray(offset, offset + 16)),
    storeId: uuidFromBytes(source.subarray(offset + 16, offset + 32)),
    epoch: readInteger(source, offset + epochAt) as Epoch,
    legacy: readEvent(source, offset + worldAt.legacy),
    ves: readEvent(source, offset + worldAt.ves),
  };
}

function readEvent(source: Buffer, at: number): KnownEvent | null {
  const sequence = readInteger(source, at) as Sequence;
  if (sequence === 0) return null;
  return { sequence, leafHash: Uint8Array.from(source.subarray(at + 8, at + 40)) as Hash };
}

/** An integer up to 2^53 - 1 in 8 bytes; without bigints, since this runs for every flush. */
function writeInteger(value: number, target: Buffer, at: number): void {
  target.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  target.writeUInt32BE(value >>> 0, at + 4);
}

function readInteger(source: Buffer, at: number): number {
  return source.readUInt32BE(at) * 0x1_0000_0000 + source.readUInt32BE(at + 4);
}
