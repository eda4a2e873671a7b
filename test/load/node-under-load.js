/* global __ENV, __VU, open */
import { check, fail, sleep } from 'k6';
import { SharedArray } from 'k6/data';
import http from 'k6/http';
import { ingestBody, randomUuid } from './bodies.js';
import { tiers } from './tiers.js';

/** What every script reads from its environment: see test/load/README.md. */
export const url = __ENV.URL || 'http://127.0.0.1:8080';
export const tier = tiers[__ENV.TIER || 'production'];
export const batch = Number(__ENV.BATCH || 100);
export const duration = __ENV.DURATION || '60s';
export const connections = Number(__ENV.CONNECTIONS || 50);
const storeCount = Number(__ENV.STORES || 8);
const isSigned = __ENV.SIGNED === '1';

/** Requests signed beforehand by write-signed-requests.ts, since k6 knows no Ed25519. Each is of use once. */
const signedRequests = new SharedArray('signed requests', () =>
  isSigned ? JSON.parse(open(__ENV.SIGNED_REQUESTS || './signed-requests.json')) : [],
);

export const tenantId = __ENV.TENANT_ID || '11111111-1111-4111-8111-111111111111';
const stores = Array.from(
  { length: storeCount },
  (_, number) => `22222222-2222-4222-8222-${String(number + 1).padStart(12, '0')}`,
);
const agentId = randomUuid();
let turn = 0;

/** One of the stores; each virtual user goes through all of them. */
export function nextStore() {
  turn += 1;
  return stores[(__VU + turn) % stores.length];
}

export function parameters(kind) {
  const headers = { 'content-type': 'application/json', authorization: `ApiKey ${__ENV.API_KEY}` };
  return { headers, tags: { kind } };
}

/** Appends a batch, signed or not, and checks that all of it was accepted. */
export function ingest() {
  const answer = isSigned ? postSigned() : postUnsigned();
  if (answer.status === 503) {
    sleep(Number(answer.headers['Retry-After'] || 1));
    return answer;
  }
  check(answer, {
    'the batch is acknowledged': ({ status }) => status === 200,
    'no event is rejected': ({ body }) => /"events(_r|R)ejected":0\b/.test(body),
  });
  return answer;
}

function postUnsigned() {
  const body = ingestBody({ tenantId, storeId: nextStore(), agentId, events: batch });
  return http.post(`${url}/api/v1/events/ingest`, body, parameters('ingest'));
}

let signedSent = 0;

function postSigned() {
  // Users take turns, so that no two send the same.
  const index = __VU - 1 + signedSent * connections;
  signedSent += 1;
  if (index >= signedRequests.length) fail('all signed requests are used up: write more of them');
  return http.post(`${url}/api/v1/ves/events/ingest`, signedRequests[index], parameters('ingest'));
}
