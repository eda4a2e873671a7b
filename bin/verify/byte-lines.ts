import { createReadStream } from 'node:fs';

/** Longer than any line of ours: an event of a few megabytes and what stands around it. */
const lineBytesMax = 67_108_864;

/**
 * The lines of a file as bytes, without their line feeds, since what is hashed must not be decoded and encoded again. The
 * last one comes also when no line feed ends it.
 * @throws Error when the file can't be read, or a line is beyond bearable length
 */
export async function* byteLines(file: string): AsyncGenerator<Uint8Array> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1_048_576 }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      const last = chunk.subarray(start, end);
      yield parts.length === 0 ? last : Buffer.concat([...parts, last]);
      parts = [];
      length = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    parts.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > lineBytesMax) throw new Error(`a line has more than ${lineBytesMax} bytes`);
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

const lineFeed = 0x0a;
