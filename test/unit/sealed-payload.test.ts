import { randomBytes, randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { Sequence, Uuid } from '../../domain/types.ts';
import { drawDataKey, masterFingerprint, MasterKeys } from '../../storage/payloads/master-keys.ts';
import { DataKey, type PayloadPlace, sealOverheadBytes } from '../../storage/payloads/sealed-payload.ts';

const id = () => randomUUID() as string as Uuid;
const place: PayloadPlace = {
  tenantId: id(),
  storeId: id(),
  world: 'legacy',
  sequence: 7 as Sequence,
  eventId: id(),
};
const key = drawDataKey();

describe('a sealed payload', () => {
  test('is opened as it was, by another process with the same key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), (payload) => {
        const sealed = new DataKey(1, key).seal(payload, place);
        expect(sealed.length).toBe(payload.length + sealOverheadBytes);
        expect(new DataKey(1, key).open(sealed, place)).toEqual(Buffer.from(payload));
      }),
    );
  });

  test('holds nothing of the payload, and is another each time', () => {
    const payload = Buffer.from('{"name":"Grace Hopper, Arlington"}');
    const dataKey = new DataKey(1, key);
    const sealed = Array.from({ length: 200 }, () => dataKey.seal(payload, place));
    expect(sealed.some((one) => one.includes('Grace'))).toBe(false);
    expect(new Set(sealed.map((one) => one.subarray(17).toString('hex'))).size).toBe(200);
  });

  test('takes a new pair of session and counter for each payload', () => {
    const uses = [new DataKey(1, key), new DataKey(1, key)].flatMap((dataKey) =>
      Array.from({ length: 500 }, () => dataKey.seal(randomBytes(10), place).subarray(1, 17).toString('hex')),
    );
    expect(new Set(uses).size).toBe(1_000);
  });

  const elsewhere: readonly [string, Partial<PayloadPlace>][] = [
    ['tenant', { tenantId: id() }],
    ['store', { storeId: id() }],
    ['world', { world: 'ves' }],
    ['sequence', { sequence: 8 as Sequence }],
    ['event', { eventId: id() }],
  ];
  test.each(elsewhere)('is not opened in the place of another %s', (_, fields) => {
    const sealed = new DataKey(1, key).seal(randomBytes(40), place);
    expect(new DataKey(1, key).open(sealed, { ...place, ...fields })).toBeNull();
  });

  test('is not opened by another key, nor under another number', () => {
    const sealed = new DataKey(1, key).seal(randomBytes(40), place);
    expect(new DataKey(1, drawDataKey()).open(sealed, place)).toBeNull();
    expect(new DataKey(2, key).open(sealed, place)).toBeNull();
  });

  test('is not opened with any bit flipped, nor cut, nor longer', () => {
    const dataKey = new DataKey(1, key);
    const sealed = dataKey.seal(Buffer.from('{"a":1}'), place);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Buffer.from(sealed);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(dataKey.open(flipped, place)).toBeNull();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(dataKey.open(sealed.subarray(0, length), place)).toBeNull();
    }
    expect(dataKey.open(Buffer.concat([sealed, Buffer.from([0])]), place)).toBeNull();
  });

  test('no bytes but sealed ones are opened, whatever they are', () => {
    const dataKey = new DataKey(1, key);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, hasVersion) => {
        if (hasVersion && bytes.length > 0) bytes[0] = 1;
        expect(dataKey.open(bytes, place)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('master keys', () => {
  const [first, second, own] = [randomBytes(32), randomBytes(32), randomBytes(32)];
  const tenantId = id();

  test('the first wraps, all unwrap', () => {
    const dataKey = drawDataKey();
    const wrapped = new MasterKeys({ general: [first], byTenant: new Map() }).wrap(tenantId, 1, dataKey)!;
    expect(wrapped.masterFingerprint).toEqual(masterFingerprint(first));
    const rotated = new MasterKeys({ general: [second, first], byTenant: new Map() });
    expect(dataKey.equals(rotated.unwrap(wrapped) as typeof dataKey)).toBe(true);
    expect(rotated.firstFingerprint(tenantId)).toEqual(masterFingerprint(second));
  });

  test("a tenant's own go before the general ones, which still unwrap", () => {
    const general = new MasterKeys({ general: [first], byTenant: new Map() });
    const both = new MasterKeys({ general: [first], byTenant: new Map([[tenantId, [own]]]) });
    const dataKey = drawDataKey();
    expect(both.wrap(tenantId, 1, dataKey)!.masterFingerprint).toEqual(masterFingerprint(own));
    expect(both.wrap(id(), 1, dataKey)!.masterFingerprint).toEqual(masterFingerprint(first));
    expect(typeof both.unwrap(general.wrap(tenantId, 1, dataKey)!)).toBe('object');
    expect(general.unwrap(both.wrap(tenantId, 1, dataKey)!)).toBe('no master key');
  });

  test('a wrapped key is nobody else’s, of no other number, and whole', () => {
    const keys = new MasterKeys({ general: [first], byTenant: new Map() });
    const wrapped = keys.wrap(tenantId, 1, drawDataKey())!;
    expect(keys.unwrap({ ...wrapped, tenantId: id() })).toBe('damaged');
    expect(keys.unwrap({ ...wrapped, keyNumber: 2 })).toBe('damaged');
    expect(keys.unwrap({ ...wrapped, wrapped: wrapped.wrapped.subarray(1) })).toBe('damaged');
    for (let bit = 0; bit < wrapped.wrapped.length * 8; bit++) {
      const flipped = Buffer.from(wrapped.wrapped);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(keys.unwrap({ ...wrapped, wrapped: flipped })).toBe('damaged');
    }
  });

  test('printing one shows no key', () => {
    const keys = new MasterKeys({ general: [first], byTenant: new Map([[tenantId, [own]]]) });
    const printed =
      inspect([keys, new DataKey(1, key)], { depth: 10, showHidden: true }) + JSON.stringify(keys);
    for (const secret of [first, own, key.export()]) {
      expect(printed).not.toContain(secret.toString('hex'));
      expect(printed).not.toContain(secret.toString('base64'));
      expect(printed).not.toContain([...secret.subarray(0, 6)].join(','));
      expect(printed).not.toContain(secret.subarray(0, 6).toString('hex').replaceAll(/(..)/g, '$1 ').trim());
    }
  });
});
