import { createHash, randomUUID } from 'node:crypto';
import { canonicalText } from '../../domain/json/canonical.ts';
import type { ClientEvent } from '../driver/sequencer-client.ts';

/** A webhook that GitHub once sent, as the event that a shop's integration would make of it. */
export interface Delivery {
  readonly eventType: string;
  readonly entityType: string;
  readonly entityId: string;
  readonly payload: string;
  readonly payloadHash: string;
}

interface WebhookDefinition {
  readonly name: string;
  readonly examples: readonly Webhook[];
}

interface Webhook extends Readonly<Record<string, unknown>> {
  readonly action?: string;
  readonly repository?: { readonly full_name?: string };
  readonly organization?: { readonly login?: string };
  readonly sender?: { readonly login?: string };
}

/**
 * The payloads of the package `@octokit/webhooks-examples`, in its order.
 *
 * @throws Error with the way out when the package is missing, as in an installation without development packages
 */
export async function loadDeliveries(): Promise<Delivery[]> {
  try {
    const module = (await import('@octokit/webhooks-examples', { with: { type: 'json' } })) as {
      readonly default: unknown;
    };
    const definitions = module.default as readonly WebhookDefinition[];
    return definitions.flatMap(({ name, examples }) => examples.map((webhook) => deliver(name, webhook)));
  } catch (cause) {
    throw new Error('the demo replays payloads of a development package; run "npm ci" to have it', { cause });
  }
}

/** One more event with this delivery's content and an id of its own. */
export function eventOf({ eventType, entityType, entityId, payload, payloadHash }: Delivery): ClientEvent {
  const createdAt = new Date().toISOString();
  return { eventId: randomUUID(), eventType, entityType, entityId, payload, payloadHash, createdAt };
}

function deliver(name: string, webhook: Webhook): Delivery {
  const payload = JSON.stringify(webhook);
  return {
    eventType: webhook.action === undefined ? name : `${name}.${webhook.action}`,
    entityType: name,
    entityId: subjectOf(name, webhook),
    payload,
    payloadHash: createHash('sha256')
      .update(canonicalText(Buffer.from(payload), 'legacy'))
      .digest('hex'),
  };
}

/** What a webhook is about: the thing it is named after where that has an id, else where it happened. */
function subjectOf(name: string, webhook: Webhook): string {
  const { repository, organization, sender } = webhook;
  const place = repository?.full_name ?? organization?.login ?? sender?.login ?? 'github';
  const subject = webhook[name];
  const id = typeof subject === 'object' && subject !== null && 'id' in subject ? String(subject.id) : null;
  return id === null ? place : `${place}#${id}`;
}
