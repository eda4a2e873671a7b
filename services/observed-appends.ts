import type { Clock } from '../domain/clock.ts';
import type { IngestFacts } from '../telemetry/metrics/ingest.ts';
import { readError } from './broker-errors.ts';
import type { AppendParams, AppendReply, Rejection } from './contracts.ts';
import type { SequencerClient } from './sequencer-client.ts';

/** Told of each ingest request that has a store. */
export interface IngestObserver {
  started(): void;
  answered(facts: IngestFacts): void;
  /** @param facts `isRefusal`: the request was at fault, and nothing here */
  failed(facts: { readonly isRefusal: boolean; readonly durationMs: number }): void;
}

/** The same client, observed once a request: what its caller was told, and how long that took. */
export function observedAppends(
  sequencer: SequencerClient,
  observer: IngestObserver,
  clock: Pick<Clock, 'monotonicMs'>,
): SequencerClient {
  return {
    append: async (params, meta) => {
      const startedMs = clock.monotonicMs();
      observer.started();
      try {
        const reply = await sequencer.append(params, meta);
        observer.answered({ ...factsOf(params, reply), durationMs: clock.monotonicMs() - startedMs });
        return reply;
      } catch (error) {
        const isRefusal = readError(error)?.kind === 'rejected';
        observer.failed({ isRefusal, durationMs: clock.monotonicMs() - startedMs });
        throw error;
      }
    },
  };
}

function factsOf({ world }: AppendParams, reply: AppendReply): Omit<IngestFacts, 'durationMs'> {
  const { accepted, rejected, rejections, signed } = reply;
  return {
    world,
    accepted,
    rejected,
    repeated: signed === undefined ? 0 : signed.receipts.length - accepted,
    badSignatures: rejections.filter(isOfSignature).length,
  };
}

function isOfSignature({ reason }: Rejection): boolean {
  return reason === 'signature-differs' || reason === 'agent-key-invalid';
}
