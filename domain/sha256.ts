import { sha256 } from '@noble/hashes/sha2.js';
import type { Hash } from './types.ts';

/**
 * SHA-256 of a message. Everything here that hashes takes one as its last argument: the portable one runs in any
 * browser, a node hands in a faster one.
 */
export type Sha256 = (message: Uint8Array) => Hash;

/** Pure JavaScript, with no need of the platform. */
export const portableSha256: Sha256 = (message) => sha256(message) as Hash;
