import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';

/** Below this the work of another thread costs more than the compression itself. */
const smallBytesMax = 16_384;
/** A body this short is sent as it is. */
const uncompressedBytesMax = 32;

/** For a receipt of 250 bytes setting up the usual tables and output takes longer than using them: 32 against 8 µs. */
const smallOptions = { level: 1, memLevel: 2, windowBits: 10, chunkSize: 1_024 };
const largeOptions = { level: 1 };
const gzipApart = promisify(gzip);

/** Whether a body of this length goes out compressed to a client that sent this `Accept-Encoding`. */
export function isWorthGzip(bodyBytes: number, acceptEncoding: string | string[] | undefined): boolean {
  return bodyBytes > uncompressedBytesMax && acceptsGzip(acceptEncoding);
}

/** The compressed body; at once when it is small, from another thread when it is not. */
export function gzipBody(body: Uint8Array): Buffer | Promise<Buffer> {
  return body.length <= smallBytesMax ? gzipSync(body, smallOptions) : gzipApart(body, largeOptions);
}

/** Whether the header names gzip, or everything, with a weight above zero. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  if (typeof header !== 'string') return false;
  let anyCoding = false;
  for (const item of header.split(',')) {
    const [name, ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const accepted = !parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter));
    if (name === 'gzip' || name === 'x-gzip') return accepted;
    if (name === '*') anyCoding = accepted;
  }
  return anyCoding;
}
