import { randomBytes, randomFillSync } from 'node:crypto';
import { payloadShapes } from './payload-shapes.ts';

export interface TemplateOptions {
  readonly url: URL;
  readonly apiKey: string;
  readonly tenantId: string;
  /** With `uuidTemplate` each request of one event goes to a store of its own. */
  readonly storeId: string;
  readonly agentId: string;
  readonly payload: string;
  readonly events: number;
}

const placeholders = /[$@#]+/g;
/** `8-4-4-4-12` with the version and variant digits of a random UUID in place. */
export const uuidTemplate = '$$$$$$$$-$$$$-4$$$-a$$$-$$$$$$$$$$$$';

/**
 * One request as bytes, built once; `next` writes new random ids, entities and payload values into it. That costs the
 * load generator about a microsecond an event, and so leaves the cores of a small machine to what is measured.
 */
export class RequestTemplate {
  readonly bytes: Buffer;
  private readonly ids: Runs;
  private readonly hexRuns: Runs;
  private readonly digitRuns: Runs;

  constructor({ url, apiKey, events, ...options }: TemplateOptions) {
    const event = eventTemplate(options);
    const body = `{"agent_id":"${options.agentId}","events":[${Array.from({ length: events }, () => event).join(',')}]}`;
    const head =
      `POST /api/v1/events/ingest HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: ApiKey ${apiKey}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    this.bytes = Buffer.from(head + body, 'latin1');
    const runs = [...body.matchAll(placeholders)];
    const runsOf = (placeholder: string): Runs => {
      const found = runs.filter(([run]) => run.startsWith(placeholder));
      return {
        offsets: Uint32Array.from(found, ({ index }) => head.length + index),
        lengths: Uint32Array.from(found, ([run]) => run.length),
      };
    };
    this.ids = runsOf('$');
    this.hexRuns = runsOf('@');
    this.digitRuns = runsOf('#');
  }

  /** The request with events that no request had before; the same buffer each time. */
  next(): Buffer {
    writeRandomHex(this.bytes, this.ids);
    copyFrom(hexText, this.bytes, this.hexRuns);
    copyFrom(digitText, this.bytes, this.digitRuns);
    return this.bytes;
  }
}

interface Runs {
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
}

const poolBytes = 262_144;
const randomPool = Buffer.alloc(poolBytes);
let poolAt = poolBytes;
const hexDigits = Buffer.from('0123456789abcdef');
const hexText = Buffer.from(randomBytes(poolBytes / 2).toString('hex'));
/** No zeros, so that a number may begin anywhere. */
const digitText = randomBytes(poolBytes).map((byte) => 0x31 + (byte % 9));

/** Every digit anew: these must never meet again. */
function writeRandomHex(target: Buffer, { offsets, lengths }: Runs): void {
  for (let run = 0; run < offsets.length; run += 1) {
    const offset = offsets[run] ?? 0;
    const end = offset + (lengths[run] ?? 0);
    for (let at = offset; at < end; at += 1) {
      if (poolAt === poolBytes) {
        randomFillSync(randomPool);
        poolAt = 0;
      }
      target[at] = hexDigits[(randomPool[poolAt] ?? 0) & 15] ?? 0;
      poolAt += 1;
    }
  }
}

/** Payload values only have to differ: each is a piece of a long random text. */
function copyFrom(text: Uint8Array, target: Buffer, { offsets, lengths }: Runs): void {
  for (let run = 0; run < offsets.length; run += 1) {
    const offset = offsets[run] ?? 0;
    const length = lengths[run] ?? 0;
    const start = Math.floor(Math.random() * (poolBytes - length));
    for (let at = 0; at < length; at += 1) target[offset + at] = text[start + at] ?? 0;
  }
}

/** Payloads of this shape with values of their own. */
export function samplePayloads(payload: string, count: number): string[] {
  const template = payloadTemplate(payload);
  const piece = (text: Uint8Array, length: number): string => {
    const start = Math.floor(Math.random() * (poolBytes - length));
    return Buffer.from(text.subarray(start, start + length)).toString('latin1');
  };
  return Array.from({ length: count }, () =>
    template.replaceAll(placeholders, (run) => piece(run.startsWith('@') ? hexText : digitText, run.length)),
  );
}

/** How many bytes the payload of each event has. */
export function payloadBytes(payload: string): number {
  return payloadTemplate(payload).length;
}

function payloadTemplate(payload: string): string {
  const template = payloadShapes[payload];
  if (template === undefined) throw new Error(`there is no payload shape ${payload}`);
  return template;
}

function eventTemplate(options: Omit<TemplateOptions, 'url' | 'apiKey' | 'events'>): string {
  const { tenantId, storeId, agentId, payload } = options;
  return (
    `{"event_id":"${uuidTemplate}","tenant_id":"${tenantId}","store_id":"${storeId}","entity_type":"order",` +
    `"entity_id":"order-$$$$$$$$$$$$$$$$","event_type":"order.updated","source_agent":"${agentId}",` +
    `"created_at":"2026-01-31T12:00:00.000Z","payload":${payloadTemplate(payload)}}`
  );
}
