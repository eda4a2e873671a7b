import { SequencerClient } from '../driver/sequencer-client.ts';
import { type KeyAccess, KeysRefused, type ListedKey, type MadeKey } from './key-access.ts';

/** Keys by way of a node, with the rights of an API key. */
export function serverKeys(url: string, apiKey: string): KeyAccess {
  const client = new SequencerClient({ url: url.replace(/\/+$/, ''), apiKey, connectionsMax: 1 });

  async function ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await client.send(method, path, text).catch((error: unknown) => {
      throw new KeysRefused(`${url} gives no answer: ${messageOf(error)}`, { cause: error });
    });
    if (answer.status === 200) return JSON.parse(answer.body) as Answer;
    throw new KeysRefused(`${method} ${path} answered ${answer.status}: ${sentenceOf(answer.body)}`);
  }

  return {
    make: (tenantId, agentId, { requestsPerMinuteMax: rateLimit, ...wanted }) =>
      ask<MadeKey>('POST', keysOf(tenantId), { ...wanted, agentId, rateLimit }),

    async *pages(tenantId) {
      let after = '';
      for (;;) {
        const { keys } = await ask<{ readonly keys: readonly ListedKey[] }>('GET', keysOf(tenantId) + after);
        const last = keys.at(-1);
        if (last === undefined) return;
        yield keys;
        after = `?after=${last.keyHashPrefix}`;
      }
    },

    async revoke(tenantId, prefix) {
      await ask('DELETE', `${keysOf(tenantId)}/${encodeURIComponent(prefix)}`);
    },

    close: () => Promise.resolve(client.close()),
  };
}

function keysOf(tenantId: string): string {
  return `/api/v1/admin/tenants/${tenantId}/api-keys`;
}

function sentenceOf(body: string): string {
  try {
    const { error } = JSON.parse(body) as { readonly error?: string };
    return error ?? body;
  } catch {
    return body;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
