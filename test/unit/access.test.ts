import { bootstrapAdmin, denialOf, isBootstrapAdmin, nilUuid, type Principal } from '../../domain/access.ts';
import type { Uuid } from '../../domain/types.ts';

const tenant = '00000000-0000-0000-0000-0000000000a1' as Uuid;
const otherTenant = '00000000-0000-0000-0000-0000000000a2' as Uuid;
const store = '00000000-0000-0000-0000-0000000000b1' as Uuid;
const otherStore = '00000000-0000-0000-0000-0000000000b2' as Uuid;

const nobody: Principal = { ...bootstrapAdmin, tenantId: tenant, read: false, write: false, admin: false };

describe('a permission', () => {
  test.each(['read', 'write', 'admin'] as const)('%s is granted by its own flag and by no other', (flag) => {
    const key = { tenantId: tenant, storeId: store };
    const others = { read: true, write: true, admin: true, [flag]: false };
    expect(denialOf({ ...nobody, [flag]: true }, flag, key)).toBeNull();
    expect(denialOf({ ...nobody, ...others }, flag, key)).toMatch(`no ${flag} permission`);
  });

  test('is denied for want of the flag before anything is said about the scope', () => {
    expect(denialOf(nobody, 'read', { tenantId: otherTenant, storeId: store })).toMatch('no read permission');
  });
});

describe('the scope', () => {
  const reader: Principal = { ...nobody, read: true };
  const clerk: Principal = { ...reader, storeIds: [store] };

  test.each([
    ['all stores of the tenant', reader, { tenantId: tenant, storeId: otherStore }, null],
    ['another tenant', reader, { tenantId: otherTenant, storeId: store }, 'another tenant'],
    ['a listed store', clerk, { tenantId: tenant, storeId: store }, null],
    ['a store that is not listed', clerk, { tenantId: tenant, storeId: otherStore }, 'other stores'],
    ['no store in particular', clerk, { tenantId: tenant, storeId: nilUuid }, null],
    [
      'a listed store, asked for under another tenant',
      clerk,
      { tenantId: otherTenant, storeId: store },
      'another tenant',
    ],
    ['the nil tenant', reader, { tenantId: nilUuid, storeId: store }, 'another tenant'],
  ])('%s', (_name, principal, key, denial) => {
    if (denial === null) expect(denialOf(principal, 'read', key)).toBeNull();
    else expect(denialOf(principal, 'read', key)).toMatch(denial);
  });

  test('does not bind the bootstrap administrator, even one with a list of stores', () => {
    const key = { tenantId: otherTenant, storeId: otherStore };
    expect(denialOf({ ...bootstrapAdmin, storeIds: [store] }, 'write', key)).toBeNull();
  });

  test('binds a nil-tenant principal that is no administrator', () => {
    const principal = { ...bootstrapAdmin, admin: false };
    expect(isBootstrapAdmin(principal)).toBe(false);
    expect(denialOf(principal, 'read', { tenantId: tenant, storeId: store })).toMatch('another tenant');
  });

  test('binds the administrator of a tenant to that tenant', () => {
    const principal = { ...nobody, admin: true };
    expect(denialOf(principal, 'admin', { tenantId: otherTenant, storeId: store })).toMatch('another tenant');
  });
});
