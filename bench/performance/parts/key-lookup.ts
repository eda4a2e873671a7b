import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { newUuid } from '../../crypto/made-up.ts';
import { measureLoops } from '../../crypto/measure.ts';
import { openScratchLog } from '../../crypto/scratch-log.ts';
import { short, times } from '../../report/number-text.ts';
import { hashApiKey } from '../../../services/access/api-key-hash.ts';
import { KeyCache } from '../../../services/access/key-cache.ts';
import { authenticator } from '../../../services/gateway/authenticate.ts';
import { systemClock } from '../../../services/system-clock.ts';
import { postgresApiKeys } from '../../../storage/postgres/api-keys.ts';
import type { Part } from '../part.ts';
import { publishedKeyLookupMicros } from '../published-figures.ts';
import { figure, judge } from '../report.ts';

const keyCount = 200;
const wantedMicros = 20;

/** From the header of a request to the principal behind its key. */
export const keyLookup: Part = {
  name: 'key-lookup',
  title: 'Looking API keys up',
  seconds: 6,
  measure: async (bench) => {
    const log = pino({ level: 'silent' });
    const scratch = await openScratchLog(await bench.newDatabase());
    bench.release(() => scratch.close());
    const keys = postgresApiKeys(scratch.pool);
    const texts = Array.from({ length: keyCount }, () => `ss_${randomBytes(24).toString('base64url')}`);
    for (const text of texts) {
      const principal = {
        ...{
          tenantId: newUuid(),
          storeIds: [newUuid()],
          agentId: null,
        },
        ...{ read: true, write: true, admin: false, requestsPerMinuteMax: null },
      };
      await keys.insertKey(hashApiKey(text), principal);
    }
    const cache = new KeyCache({ keys, clock: systemClock, log, entriesMax: 10_000, ttlMs: 60_000 });
    const polling = cache.startPolling();
    bench.release(() => polling.stop());
    // Until the first poll has been answered nothing is taken from memory.
    await sleep(100);
    const findPrincipal = (hash: ReturnType<typeof hashApiKey>) => cache.find(hash);
    const authenticate = authenticator({
      findPrincipal,
      bootstrapKeyHash: null,
      checkToken: null,
      disabled: false,
      log,
    });
    let turn = 0;
    const authenticateNext = async (): Promise<boolean> => {
      const { principal } = await authenticate({ authorization: `ApiKey ${texts[turn++ % keyCount]!}` });
      if (principal === null) throw new Error('a key that exists was not found');
      return true;
    };
    const span = bench.pick(
      { warmUpMs: 500, measureMs: 3_000 },
      { warmUpMs: 200, measureMs: 600 },
      { warmUpMs: 20, measureMs: 50 },
    );
    const figures = await measureLoops([authenticateNext], span);
    const { hits, misses } = cache.figures;
    const { p50Micros, p95Micros, p99Micros } = figures;
    const averageMicros = 1_000_000 / figures.perSecond;
    return {
      figures: [
        figure('key-lookup.average_micros', averageMicros, 'µs', 'lower', publishedKeyLookupMicros),
        figure('key-lookup.p99_micros', p99Micros, 'µs', 'lower', publishedKeyLookupMicros),
      ],
      targets: [
        judge({
          ...{ item: 5, what: 'looking up an API key that is cached, P99', limit: 'at most' },
          ...{ wanted: wantedMicros, measured: p99Micros, unit: 'µs' },
        }),
      ],
      tables: [
        {
          title: 'Authenticating a request by an API key that is cached',
          columns: ['published ms', 'average µs', 'P50 / P95 / P99 µs', 'faster', 'answered from memory'],
          rows: [
            [
              String(publishedKeyLookupMicros / 1_000),
              short(averageMicros),
              [p50Micros, p95Micros, p99Micros].map(short).join(' / '),
              times(publishedKeyLookupMicros / averageMicros),
              `${((100 * hits) / (hits + misses)).toFixed(2)} %`,
            ],
          ],
        },
      ],
      charts: [],
      notes: [
        `What the gateway does with the header of each request: read it, hash the key, find its principal. ${keyCount} keys in turn, while the revision of the keys is polled as in a node.`,
      ],
    };
  },
};
