import { setTimeout as sleep } from 'node:timers/promises';
import { utf8Bytes } from '../../domain/bytes.ts';
import { SequencerError } from '../../domain/errors.ts';
import type { StreamKey } from '../../domain/types.ts';
import { listOf, readDocument, record, values } from '../../domain/verify/read-record.ts';
import type { HttpAnswer, SequencerClient } from '../driver/sequencer-client.ts';
import { ExportFailed } from './export-failed.ts';
import type { ExportedEventText, ExportSource } from './export-source.ts';
import { PageSize } from '../page-size.ts';

const triesMax = 8;

/** Reads a stream from a node, with an API key that may read its store. */
export function httpSource(client: SequencerClient, stream: StreamKey): ExportSource {
  const { world, tenantId, storeId } = stream;
  const prefix = world === 'ves' ? '/api/v1/ves' : '/api/v1';
  const store = `tenant_id=${tenantId}&store_id=${storeId}`;
  const page = new PageSize();

  return {
    async head() {
      const { head_sequence } = await getJson<{ head_sequence: number }>(client, `${prefix}/head?${store}`);
      return head_sequence;
    },

    sequencer: () => getJson(client, '/api/v1/sequencer/keys'),

    async commitments(from, limit) {
      const { commitments } = await getJson<{ commitments: readonly { sequence_end: number }[] }>(
        client,
        `${prefix}/commitments?${store}&from=${from}&limit=${limit}`,
      );
      return commitments.map((body) => ({ sequenceEnd: body.sequence_end, body }));
    },

    async events(from, to) {
      for (;;) {
        const limit = Math.min(page.current, to - from + 1);
        const path = `${prefix}/events?${store}&from=${from}&limit=${limit}`;
        const answer = await get(client, path, () => page.shrink(limit));
        if (answer === 'fewer') continue;
        const body = utf8Bytes(answer.body);
        try {
          const events = readDocument(body, readPage).events.map((text) => readEvent(text, stream));
          page.read(events.length, body.length);
          return { events, next: from + Math.max(1, events.length) };
        } catch (error) {
          if (!(error instanceof SequencerError)) throw error;
          if (page.shrink(limit)) continue;
          throw new ExportFailed(`event ${from} can't be read: ${error.message}`);
        }
      }
    },

    async agentKey({ agentId, keyId }) {
      const path = `/api/v1/agents/${agentId}/keys?tenant_id=${tenantId}&after=${keyId - 1}&limit=1`;
      const answer = await get(client, keyId === 0 ? path.replace('&after=-1', '') : path, null);
      if (answer === 'fewer' || answer.status === 403) return null; // An older node tells administrators only.
      const { keys } = JSON.parse(answer.body) as { readonly keys: readonly { readonly keyId: number }[] };
      const [key] = keys;
      return key?.keyId === keyId ? { tenantId, agentId, ...key } : null;
    },

    close: () => Promise.resolve(client.close()),
  };
}

const readPage = record({ events: listOf(values.raw) }, {});
const readOutline = record(
  {},
  {
    event: values.raw,
    envelope: values.raw,
    sequence_number: values.sequence,
    source_agent_id: values.uuid,
    agent_key_id: values.u32,
  },
);

/** @throws Refused */
function readEvent(text: Uint8Array, { world, tenantId }: StreamKey): ExportedEventText {
  const outline = readDocument(text, readOutline);
  if (world === 'legacy') {
    const { sequence_number: sequence } = readDocument(outline.envelope ?? text, readOutline);
    return {
      sequence: sequence ?? 0,
      members: Buffer.concat([utf8Bytes('"event":'), text]),
      signedBy: null,
    };
  }
  const event = readDocument(outline.event ?? text, readOutline);
  // The element is `{"event":…,"receipt":…}`.
  const members = text.subarray(text.indexOf(openBrace) + 1, text.lastIndexOf(closeBrace));
  const { source_agent_id: agentId, agent_key_id: keyId } = event;
  const signedBy = agentId === undefined || keyId === undefined ? null : { tenantId, agentId, keyId };
  return { sequence: event.sequence_number ?? 0, members, signedBy };
}

const openBrace = 0x7b;
const closeBrace = 0x7d;

async function getJson<Value>(client: SequencerClient, path: string): Promise<Value> {
  const answer = await get(client, path, null);
  if (answer === 'fewer' || answer.status !== 200)
    throw new ExportFailed(`GET ${path} is not for this key to ask`);
  return JSON.parse(answer.body) as Value;
}

/**
 * Asks until there is an answer.
 * @returns `fewer` when the node has no room for a page of this size, and there is a smaller one
 */
async function get(
  client: SequencerClient,
  path: string,
  askForFewer: (() => boolean) | null,
): Promise<HttpAnswer | 'fewer'> {
  for (let tries = 1; ; tries++) {
    const answer = await client.send('GET', path).catch((error: unknown) => error as Error);
    if (!(answer instanceof Error)) {
      if (answer.status === 200 || answer.status === 403) return answer;
      if (answer.status === 503 && askForFewer?.() === true) return 'fewer';
      if (answer.status < 500) throw refused(path, answer);
    }
    if (tries === triesMax) {
      throw answer instanceof Error
        ? new ExportFailed(`GET ${path} got no answer: ${answer.message}`)
        : refused(path, answer);
    }
    const afterSecs = answer instanceof Error ? 0 : Number(answer.headers['retry-after'] ?? 0);
    await sleep(Math.max(afterSecs * 1_000, 100 * 2 ** tries));
  }
}

function refused(path: string, { status, body }: HttpAnswer): ExportFailed {
  return new ExportFailed(`GET ${path} answered ${status}: ${body}`);
}
