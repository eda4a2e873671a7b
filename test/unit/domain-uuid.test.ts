import fc from 'fast-check';
import { parseUuid, uuidBytes, uuidFromBytes, writeUuid } from '../../domain/uuid.ts';
import { vectors } from '../vectors/ves-v1.ts';

const canonical = 'c25e4553-511e-43a5-86b1-40b415835902';

describe('parseUuid', () => {
  test.each([
    canonical,
    canonical.toUpperCase(),
    canonical.replaceAll('-', ''),
    canonical.replaceAll('-', '').toUpperCase(),
    `{${canonical}}`,
    `{${canonical.toUpperCase()}}`,
    `urn:uuid:${canonical}`,
    `URN:UUID:${canonical.toUpperCase()}`,
  ])('reads %s', (text) => {
    expect(parseUuid(text)).toBe(canonical);
  });

  test.each([
    '',
    canonical.slice(1),
    `${canonical}0`,
    canonical.replace('c', 'g'),
    canonical.replaceAll('-', '_'),
    'c25e4553511e-43a5-86b1-40b415835902-',
    `{${canonical}`,
    `urn:uuid:{${canonical}}`,
    `urn:uuid:${canonical}}`,
    `uuid:${canonical}`,
    ` ${canonical}`,
    'x'.repeat(100_000),
  ])('refuses %s', (text) => {
    expect(parseUuid(text)).toBeNull();
  });
});

test.each(vectors.primitives.uuid)('the bytes of $value are those of the vector', ({ value, bytes16 }) => {
  const uuid = parseUuid(value)!;
  expect(Buffer.from(uuidBytes(uuid)).toString('hex')).toBe(bytes16);
  expect(uuidFromBytes(Buffer.from(bytes16, 'hex'))).toBe(value);
});

test('every 16 bytes become a UUID and back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const uuid = uuidFromBytes(bytes);
      expect(parseUuid(uuid)).toBe(uuid);
      expect(uuidBytes(uuid)).toEqual(bytes);
    }),
  );
});

test('writing a UUID touches its 16 bytes only and returns the offset after them', () => {
  const target = new Uint8Array(20).fill(0xaa);
  expect(writeUuid(parseUuid(canonical)!, target, 2)).toBe(18);
  expect(Buffer.from(target).toString('hex')).toBe(`aaaa${canonical.replaceAll('-', '')}aaaa`);
});
