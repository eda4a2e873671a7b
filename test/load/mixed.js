import { check } from 'k6';
import http from 'k6/http';
import { commitmentBody, query } from './bodies.js';
import {
  batch,
  connections,
  duration,
  ingest,
  nextStore,
  parameters,
  tenantId,
  tier,
  url,
} from './node-under-load.js';
import { thresholdsOf } from './tiers.js';

/** Appends at half the pace of a tier, and beside them readers and those who commit and prove. */
export const options = {
  scenarios: {
    write: {
      executor: 'constant-arrival-rate',
      exec: 'write',
      rate: Math.ceil(tier.eventsPerSecond / 2 / batch),
      timeUnit: '1s',
      duration,
      preAllocatedVUs: connections,
    },
    read: { executor: 'constant-vus', exec: 'read', vus: Math.ceil(connections / 5), duration },
    prove: { executor: 'constant-vus', exec: 'prove', vus: 1, duration },
  },
  thresholds: {
    ...thresholdsOf(tier),
    'http_req_duration{kind:read}': ['p(95)<100'],
    'http_req_duration{kind:prove}': ['p(95)<500'],
  },
};

export function write() {
  ingest();
}

export function read() {
  const store = { tenantId, storeId: nextStore() };
  const head = http.get(`${url}/api/v1/head${query(store)}`, parameters('read'));
  check(head, { 'the head is read': ({ status }) => status === 200 });
  const from = Math.max(1, head.json('head_sequence') - 100);
  const events = http.get(`${url}/api/v1/events${query({ ...store, from, limit: 100 })}`, parameters('read'));
  check(events, { 'events are read': ({ status }) => status === 200 });
  const entity = http.get(`${url}/api/v1/entities/order/order-1${query(store)}`, parameters('read'));
  check(entity, { 'the history of an entity is read': ({ status }) => status === 200 });
}

const committedTo = {};

/** Commits what is new in a store, and asks for the proof of its last event. */
export function prove() {
  const store = { tenantId, storeId: nextStore() };
  const end = http.get(`${url}/api/v1/head${query(store)}`, parameters('prove')).json('head_sequence');
  const start = (committedTo[store.storeId] ?? 0) + 1;
  if (end < start) return;
  const made = http.post(
    `${url}/api/v1/commitments`,
    commitmentBody({ ...store, start, end }),
    parameters('prove'),
  );
  if (!check(made, { 'a commitment is made': ({ status }) => status === 201 })) return;
  committedTo[store.storeId] = end;
  const asked = query({ ...store, batch_id: made.json('batch_id') });
  const proof = http.get(`${url}/api/v1/proofs/${end}${asked}`, parameters('prove'));
  check(proof, { 'the last event is proved': ({ status }) => status === 200 });
}
