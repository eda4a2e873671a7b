import { Agent, request } from 'node:http';
import { type PublicKeys, readKeysDocument } from '../../domain/verify/verify.ts';
import { payloadTexts } from './payload-texts.ts';

/** One stream's store, as clients name it. */
export interface StoreName {
  readonly tenantId: string;
  readonly storeId: string;
}

/** Which of a store's two streams is read. */
export interface StreamName extends StoreName {
  /** `legacy` unless given. */
  readonly world?: 'legacy' | 'ves';
}

/** An unsigned event to append; `payload` is JSON text and travels as it is. */
export interface ClientEvent {
  readonly eventId: string;
  readonly entityType: string;
  readonly entityId: string;
  readonly eventType: string;
  readonly payload: string;
  readonly createdAt: string;
  /** Hex; the server computes it when it is absent. */
  readonly payloadHash?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** The answer of `POST /api/v1/events/ingest`. */
export interface IngestAnswer {
  readonly events_accepted: number;
  readonly events_rejected: number;
  readonly assigned_sequence_start: number | null;
  readonly assigned_sequence_end: number | null;
  readonly head_sequence: number;
  readonly receipts?: readonly { readonly event_id: string; readonly sequence_number: number }[];
  readonly rejections?: readonly {
    readonly event_id: string;
    readonly reason: string;
    readonly sequence_number?: number;
  }[];
}

/** The answer of `POST /api/v1/ves/events/ingest`. */
export interface SignedIngestAnswer {
  readonly eventsAccepted: number;
  readonly eventsRejected: number;
  readonly sequenceStart: number | null;
  readonly sequenceEnd: number | null;
  readonly headSequence: number;
  /** Of the events that were stored before, and of those that are now. */
  readonly receipts?: readonly { readonly eventId: string; readonly sequenceNumber: number }[];
}

export type AppendOutcome<Answer = IngestAnswer> =
  | { readonly kind: 'acknowledged'; readonly answer: Answer }
  /** The answer says that nothing was stored. */
  | { readonly kind: 'refused'; readonly status: number | null; readonly retryAfterSecs: number }
  /** No answer that says what became of the events. */
  | { readonly kind: 'unknown'; readonly cause: string };

export interface ReadBack {
  readonly sequence: number;
  readonly eventId: string;
  /** Exactly as the server sent it. */
  readonly payload: string;
  readonly payloadHash: string;
}

interface EventPage {
  readonly events: readonly (
    | { readonly envelope: Numbered & { readonly payload_hash: string } }
    | { readonly event: Numbered & { readonly payload_plain_hash: string } }
  )[];
}

interface Numbered {
  readonly event_id: string;
  readonly sequence_number: number;
}

export interface ClientOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly connectionsMax: number;
  /** The client gives up on a request after this long; 60 s unless given. */
  readonly timeoutMs?: number;
}

/** What a program that uses a node over HTTP needs, and no more. Every request may be made concurrently. */
export class SequencerClient {
  private readonly options: ClientOptions;
  private readonly agent: Agent;

  constructor(options: ClientOptions) {
    this.options = options;
    this.agent = new Agent({ keepAlive: true, maxSockets: options.connectionsMax });
  }

  /** Never throws: whatever happens is one of three outcomes. */
  append(store: StoreName, agentId: string, events: readonly ClientEvent[]): Promise<AppendOutcome> {
    return this.ingest('/api/v1/events/ingest', ingestBody(store, agentId, events));
  }

  /**
   * Never throws either.
   * @param events as `SigningAgent.sign` writes them
   */
  appendSigned(agentId: string, events: readonly string[]): Promise<AppendOutcome<SignedIngestAnswer>> {
    return this.ingest(
      '/api/v1/ves/events/ingest',
      `{"agentId":"${agentId}","events":[${events.join(',')}]}`,
    );
  }

  /** The keys with which the sequencer signs, as it publishes them. @throws Error when the answer is not 200 */
  async sequencerKeys(): Promise<PublicKeys> {
    return readKeysDocument(Buffer.from(await this.get('/api/v1/sequencer/keys')));
  }

  /** @throws Error when the answer is not 200 */
  async head(stream: StreamName): Promise<number> {
    const body = await this.get(`${pathOf(stream)}/head?${query(stream)}`);
    return (JSON.parse(body) as { head_sequence: number }).head_sequence;
  }

  /** @throws Error when the answer is not 200 */
  async readPage(stream: StreamName, from: number, limit: number): Promise<ReadBack[]> {
    const body = await this.get(`${pathOf(stream)}/events?${query(stream)}&from=${from}&limit=${limit}`);
    const page = JSON.parse(body) as EventPage;
    const payloads = payloadTexts(body);
    return page.events.map((item, index) => {
      const event = 'event' in item ? item.event : item.envelope;
      return {
        sequence: event.sequence_number,
        eventId: event.event_id,
        payload: payloads[index] ?? '',
        payloadHash: 'payload_hash' in event ? event.payload_hash : event.payload_plain_hash,
      };
    });
  }

  /** Any request, for tests that look at statuses and headers. */
  send(method: string, path: string, body?: string | Buffer): Promise<HttpAnswer> {
    const { url, apiKey, timeoutMs = 60_000 } = this.options;
    return new Promise((resolve, reject) => {
      const headers: Record<string, string> = { authorization: `ApiKey ${apiKey}` };
      if (body !== undefined) {
        headers['content-type'] = 'application/json';
        headers['content-length'] = String(Buffer.byteLength(body));
      }
      const call = request(url + path, { method, agent: this.agent, headers, timeout: timeoutMs });
      call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      call.on('error', reject);
      call.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      });
      call.end(body);
    });
  }

  /** Closes the connections that are idle and those in use. */
  close(): void {
    this.agent.destroy();
  }

  private async ingest<Answer>(path: string, body: string): Promise<AppendOutcome<Answer>> {
    try {
      const answer = await this.send('POST', path, body);
      if (answer.status === 200) return { kind: 'acknowledged', answer: JSON.parse(answer.body) as Answer };
      if (answer.status < 500 || answer.status === 503) {
        const retryAfterSecs = Number(answer.headers['retry-after'] ?? 0);
        return { kind: 'refused', status: answer.status, retryAfterSecs };
      }
      return { kind: 'unknown', cause: `status ${answer.status}: ${answer.body}` };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ECONNREFUSED') return { kind: 'refused', status: null, retryAfterSecs: 0 }; // Never sent.
      return { kind: 'unknown', cause: code ?? message };
    }
  }

  private async get(path: string): Promise<string> {
    const { status, body } = await this.send('GET', path);
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${body}`);
    return body;
  }
}

function pathOf({ world }: StreamName): string {
  return world === 'ves' ? '/api/v1/ves' : '/api/v1';
}

function query({ tenantId, storeId }: StoreName): string {
  return `tenant_id=${tenantId}&store_id=${storeId}`;
}

/** The request as text; payloads go in as they are, since their tokens are what is hashed. */
export function ingestBody(store: StoreName, agentId: string, events: readonly ClientEvent[]): string {
  const envelopes = events.map((event) => {
    const fields = {
      event_id: event.eventId,
      tenant_id: store.tenantId,
      store_id: store.storeId,
      entity_type: event.entityType,
      entity_id: event.entityId,
      event_type: event.eventType,
      created_at: event.createdAt,
      source_agent: agentId,
      ...(event.payloadHash === undefined ? {} : { payload_hash: event.payloadHash }),
    };
    return `${JSON.stringify(fields).slice(0, -1)},"payload":${event.payload}}`;
  });
  return `{"agent_id":${JSON.stringify(agentId)},"events":[${envelopes.join(',')}]}`;
}
