import { LogUnavailable } from '../../domain/errors.ts';
import type { Micros } from '../../domain/types.ts';
import { utf8Bytes } from '../../domain/bytes.ts';
import type { AgentKey, AgentKeyRef } from '../../domain/ves/agent-key.ts';
import { checkVesEvent } from '../../domain/ves/check-event.ts';
import type { CheckedVesEvent } from '../../domain/ves/event.ts';
import { readVesRequest } from '../../domain/ves/read-request.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';
import { SignatureChecks } from '../../services/ves/signature-checks.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Agent, newAgent, publicKeyOf, signedEvent, vesBody } from '../support/ves-events.ts';

const agent = newAgent();

function keyOf(of: Agent, fields: Partial<AgentKey> = {}): AgentKey {
  return {
    ...of,
    publicKey: Buffer.from(publicKeyOf(of), 'hex'),
    algorithm: 0,
    validFrom: null,
    validTo: null,
    revokedAt: null,
    createdAt: 0n as Micros,
    ...fields,
  };
}

function checkedEvents(events: readonly object[]): CheckedVesEvent[] {
  const body = utf8Bytes(vesBody(agent.agentId, events));
  return readVesRequest(body, 'lenient', nodeSha256).events.map((event) =>
    checkVesEvent(event, 'lenient', nodeSha256),
  );
}

function openChecks(findAgentKey: (ref: AgentKeyRef) => Promise<AgentKey | null>) {
  const clock = new ManualClock();
  const asked: number[] = [];
  const checks = new SignatureChecks({
    findAgentKey: (ref) => {
      asked.push(ref.keyId);
      return findAgentKey(ref);
    },
    clock,
    preparedKeysMax: 10,
  });
  const check = (events: readonly CheckedVesEvent[], deadlineMs = 1_000) =>
    checks.check(agent.tenantId, events, deadlineMs);
  return { clock, asked, check };
}

test('every event gets its own verdict, in input order', async () => {
  const events = checkedEvents(
    Array.from({ length: 60 }, (_, index) =>
      signedEvent(index % 3 === 0 ? { ...agent, seed: newAgent().seed } : agent),
    ),
  );
  const { check } = openChecks(() => Promise.resolve(keyOf(agent)));
  const reasons = (await check(events)).map(({ fault }) => fault?.reason ?? null);
  expect(reasons).toEqual(events.map((_, index) => (index % 3 === 0 ? 'signature-differs' : null)));
});

test('an event that has a fault already keeps it, and no key is asked for', async () => {
  const [event] = checkedEvents([{ ...signedEvent(agent), payload: 'other' }]);
  const { asked, check } = openChecks(() => Promise.resolve(keyOf(agent)));
  expect(await check([event!])).toEqual([event]);
  expect(asked).toEqual([]);
});

test('an unknown key is asked for by the first events of a request and no more', async () => {
  const events = checkedEvents(Array.from({ length: 200 }, () => signedEvent(agent)));
  const { asked, check } = openChecks(() => Promise.resolve(null));
  const checked = await check(events);
  expect(new Set(checked.map(({ fault }) => fault?.detail))).toEqual(new Set(['Agent key not found']));
  expect(asked.length).toBeLessThanOrEqual(32);
});

test.each([
  ['its first instant', { validFrom: 0n }, null],
  ['its last instant', { validTo: 0n }, null],
  ['the instant before', { validFrom: 1n }, 'Agent key is not yet valid'],
  ['the instant after', { validTo: -1n }, 'Agent key has expired'],
  ['a time before a revocation that is recorded already', { revokedAt: 1n }, 'Agent key has been revoked'],
])('a key is judged by the clock of the sequencer: %s', async (_when, offsets, detail) => {
  const { clock, check } = openChecks(() => Promise.resolve(key));
  const now = clock.nowMicros();
  const at = Object.entries(offsets).map(([name, offset]) => [name, now + BigInt(offset)] as const);
  const key = keyOf(agent, Object.fromEntries(at));
  const [checked] = await check(checkedEvents([signedEvent(agent)]));
  expect(checked!.fault?.detail ?? null).toBe(detail);
});

test('a key in the database that can vouch for nothing vouches for nothing', async () => {
  const identity = Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 1 : 0));
  const forged = `0x01${'00'.repeat(63)}`;
  const { check } = openChecks(() => Promise.resolve(keyOf(agent, { publicKey: identity })));
  const [checked] = await check(checkedEvents([{ ...signedEvent(agent), agent_signature: forged }]));
  expect(checked!.fault?.reason).toBe('signature-differs');
});

test('while keys can not be looked up nothing is said of the events', async () => {
  const { check } = openChecks(() => Promise.reject(new LogUnavailable('down')));
  await expect(check(checkedEvents([signedEvent(agent)]))).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
});

test('what comes after its time is not checked', async () => {
  const { clock, asked, check } = openChecks(() => Promise.resolve(keyOf(agent)));
  clock.advance(10);
  await expect(check(checkedEvents([signedEvent(agent)]), 10)).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
  });
  expect(asked).toEqual([]);
});
