import type { Uuid } from '../../domain/types.ts';
import { bootstrapAdmin } from '../../domain/access.ts';
import { AuditLog } from '../../services/audit/audit-log.ts';
import { originOf } from '../../services/gateway/audited-request.ts';
import { systemClock } from '../../services/system-clock.ts';
import type { AuditEntry, NewAuditEntry } from '../../storage/audit-log.ts';
import { MemoryAuditEntries } from '../../storage/memory/memory-audit-entries.ts';
import { ManualClock } from '../support/manual-clock.ts';

const agentId = 'cccccccc-0000-4000-8000-000000000001' as Uuid;
const tenantId = 'aaaaaaaa-0000-4000-8000-000000000001' as Uuid;

const request = { requestId: 'r-1', clientAddress: () => '192.0.2.1', userAgent: () => null };

function entry(fields: Partial<NewAuditEntry> = {}): NewAuditEntry {
  return {
    action: 'api_key_created',
    ...originOf({ ...request, provedBy: 'api_key', principal: { ...bootstrapAdmin, tenantId, agentId } }),
    tenantId,
    resourceType: 'api_key',
    resourceId: 'ss_aaaa',
    details: {},
    success: true,
    errorMessage: null,
    ...fields,
  };
}

function openAudit(enabled = true) {
  const entries = new MemoryAuditEntries(() => systemClock.nowMicros());
  const logged: { fields: unknown; message: unknown }[] = [];
  const log = { error: (...[fields, message]: unknown[]) => void logged.push({ fields, message }) };
  const audit = new AuditLog({ entries, enabled, clock: systemClock, log });
  const all = (): Promise<AuditEntry[]> =>
    entries.list({ tenantId: null, action: null, from: null, to: null }, { after: null, limit: 100 });
  return { entries, audit, logged, all };
}

test('a recorded entry is durable when the record returns', async () => {
  const { audit, all } = openAudit();
  await audit.record(entry());
  expect(await all()).toMatchObject([{ actor: agentId, actorType: 'api_key', requestId: 'r-1' }]);
});

test('an entry that can not be written goes to the log, and nothing fails', async () => {
  const { audit, entries, logged } = openAudit();
  entries.reachable = false;
  await audit.record(entry());
  expect(logged).toMatchObject([{ fields: { audit: { action: 'api_key_created' } } }]);
});

test('a database that does not answer holds a change up for two seconds and no longer', async () => {
  const clock = new ManualClock();
  const logged: unknown[] = [];
  const audit = new AuditLog({
    entries: { append: () => new Promise(() => undefined) },
    enabled: true,
    clock,
    log: { error: (...[fields]: unknown[]) => void logged.push(fields) },
  });
  const recorded = audit.record(entry());
  clock.advance(2_000);
  await recorded;
  expect(logged).toHaveLength(1);
});

test('what must not happen unrecorded fails with its entry', async () => {
  const { audit, entries } = openAudit();
  entries.reachable = false;
  await expect(audit.recordFirst(entry())).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
});

test('nothing is recorded while the audit log is off', async () => {
  const { audit, all } = openAudit(false);
  await audit.record(entry());
  await audit.recordFirst(entry());
  expect(await all()).toEqual([]);
});

test('texts of callers are cut and cleaned', async () => {
  const { audit, all } = openAudit();
  const userAgent = `a\u0000b\r\nc\u001b[31m${'x'.repeat(1_000)}`;
  await audit.record(entry({ userAgent, details: { long: 'y'.repeat(100_000) } }));
  const [read] = await all();
  expect(read?.userAgent).toMatch(/^a\ufffdb\ufffd\ufffdc\ufffd\[31mx+$/);
  expect(read?.userAgent).toHaveLength(512);
  expect(read?.details).toEqual({ leftOut: 'too long', bytes: 100_011 });
});

test.each([
  [{ ...bootstrapAdmin, tenantId, agentId }, agentId],
  [{ ...bootstrapAdmin, tenantId }, `tenant:${tenantId}`],
  [bootstrapAdmin, 'bootstrap_admin'],
])('the actor of the principal %j is %s', (principal, actor) => {
  expect(originOf({ ...request, provedBy: 'api_key', principal })).toEqual({
    actor,
    actorType: 'api_key',
    requestId: 'r-1',
    ipAddress: '192.0.2.1',
    userAgent: null,
  });
});

test('the actor of a request that asks nobody who they are is the public', () => {
  expect(originOf(request)).toMatchObject({ actor: 'self_service', actorType: 'public' });
});
