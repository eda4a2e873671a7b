import type { IncomingMessage } from 'node:http';
import { Refused } from '../../domain/errors.ts';
import type { Reservation } from './admission.ts';

export interface BodyLimits {
  readonly bytesMax: number;
  /** How often a body under way is looked at, in milliseconds. */
  readonly progressIntervalMs: number;
  /** What must have come since the last look, or the body is given up. */
  readonly progressBytesMin: number;
  /** How long the rest of a body that nobody wants is taken in and dropped before the connection is cut. */
  readonly discardTimeoutMs: number;
}

/** Whether the request announces a body, which may still be empty. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * The raw bytes of a JSON body, never inflated.
 * @param begin called once the body is wanted, before the first byte is read
 * @throws Refused when the header says that it is not plain JSON, or it is too long, or comes too slowly
 * @throws BytesInFlightExceeded
 */
export async function readBody(
  req: IncomingMessage,
  reservation: Reservation,
  limits: BodyLimits,
  begin: () => void,
): Promise<Buffer> {
  checkMediaType(req);
  const announced = req.headers['content-length'];
  const length = announced === undefined ? null : Number(announced);
  if (length !== null) {
    if (length > limits.bytesMax) throw tooLong(limits);
    reservation.grow(length);
  }
  begin();
  const sink = length === null ? growingSink(reservation, limits) : sizedSink(length);
  await drain(req, limits, sink.take);
  return sink.bytes();
}

/**
 * Takes in and drops what is left of a body. Closing at once would be cheaper, but a connection closed with bytes unread
 * is reset, and then the client may never see its answer.
 */
export function discardBody(req: IncomingMessage, limits: BodyLimits): void {
  let discarded = 0;
  req.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > limits.bytesMax) req.socket.destroy();
  });
  req.resume();
  const timer = setTimeout(() => req.socket.destroy(), limits.discardTimeoutMs);
  req.once('close', () => clearTimeout(timer));
}

function checkMediaType({ headers }: IncomingMessage): void {
  const type = headers['content-type'] ?? '';
  if (!jsonMediaType.test(type)) {
    throw new Refused(
      'WRONG_MEDIA_TYPE',
      `content-type is ${JSON.stringify(type.slice(0, 100))}; accepted is application/json or application/*+json`,
    );
  }
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding.toLowerCase() !== 'identity') {
    throw new Refused(
      'WRONG_MEDIA_TYPE',
      `content-encoding is ${JSON.stringify(coding.slice(0, 100))}; bodies are accepted uncompressed only`,
    );
  }
}

const jsonMediaType = /^\s*application\/(?:[!#$&^_.+\w-]+\+)?json\s*(?:;.*)?$/i;

interface Sink {
  readonly take: (chunk: Buffer) => void;
  bytes(): Buffer;
}

/** One chunk is passed on as it is; more are put together as they come, so that none is held twice. */
function sizedSink(length: number): Sink {
  let whole: Buffer | null = null;
  let at = 0;
  return {
    take: (chunk) => {
      if (chunk.length === length) whole = chunk;
      else {
        whole ??= Buffer.allocUnsafeSlow(length);
        chunk.copy(whole, at);
        at += chunk.length;
      }
    },
    bytes: () => whole ?? Buffer.alloc(0),
  };
}

function growingSink(reservation: Reservation, limits: BodyLimits): Sink {
  const chunks: Buffer[] = [];
  let length = 0;
  return {
    take: (chunk) => {
      length += chunk.length;
      if (length > limits.bytesMax) throw tooLong(limits);
      reservation.grow(chunk.length);
      chunks.push(chunk);
    },
    bytes: () => Buffer.concat(chunks, length),
  };
}

/** Hands over each chunk until the body ends, `take` throws, or too little has come. */
function drain(req: IncomingMessage, limits: BodyLimits, take: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let sinceLastLook = 0;
    const onData = (chunk: Buffer): void => {
      sinceLastLook += chunk.length;
      try {
        take(chunk);
      } catch (error) {
        settle(error as Error);
      }
    };
    const onEnd = (): void => settle();
    const onClose = (): void => {
      settle(new Refused('BODY_TOO_SLOW', 'the connection closed before the body was complete'));
    };
    const timer = setInterval(() => {
      if (sinceLastLook < limits.progressBytesMin) settle(tooSlow(limits));
      sinceLastLook = 0;
    }, limits.progressIntervalMs);
    const settle = (failure?: Error): void => {
      clearInterval(timer);
      req.off('data', onData).off('end', onEnd).off('close', onClose);
      if (failure === undefined) return resolve();
      req.pause(); // Whoever answers the failure decides what becomes of the rest.
      reject(failure);
    };
    req.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

function tooLong({ bytesMax }: BodyLimits): Refused {
  return new Refused('BODY_TOO_LONG', `the body is longer than the ${bytesMax} bytes that are accepted`);
}

function tooSlow({ progressBytesMin, progressIntervalMs }: BodyLimits): Refused {
  return new Refused(
    'BODY_TOO_SLOW',
    `fewer than ${progressBytesMin} bytes of the body came within ${progressIntervalMs} ms`,
  );
}
