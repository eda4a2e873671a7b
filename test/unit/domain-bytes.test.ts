import fc from 'fast-check';
import {
  parseHex,
  sameBytes,
  toHex,
  utf8Bytes,
  utf8Length,
  writeBytes,
  writeText,
  writeU32,
  writeU64,
} from '../../domain/bytes.ts';
import { vectors } from '../vectors/ves-v1.ts';

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

test.each(vectors.primitives.u32_be)('u32($value) is $hex', ({ value, hex }) => {
  const target = new Uint8Array(4);
  expect(writeU32(Number(value), target, 0)).toBe(4);
  expect(hexOf(target)).toBe(hex);
});

test.each(vectors.primitives.u64_be.filter(({ value }) => Number.isSafeInteger(Number(value))))(
  'u64($value) is $hex',
  ({ value, hex }) => {
    const target = new Uint8Array(8);
    expect(writeU64(Number(value), target, 0)).toBe(8);
    expect(hexOf(target)).toBe(hex);
  },
);

test.each(vectors.primitives.enc_str)('str($value) is $hex', ({ value, hex }) => {
  const target = new Uint8Array(4 + 3 * value.length);
  const end = writeText(value, target, 0);
  expect(hexOf(target.subarray(0, end))).toBe(hex);
});

test('the largest safe integer is written exactly', () => {
  const target = new Uint8Array(8);
  writeU64(Number.MAX_SAFE_INTEGER, target, 0);
  expect(hexOf(target)).toBe('001fffffffffffff');
});

test('the UTF-8 length of any text is that of its bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(utf8Length(text)).toBe(utf8Bytes(text).length);
    }),
  );
});

test('bytes survive hex text in either case', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const text = toHex(bytes);
      expect(text).toBe(hexOf(bytes));
      expect(parseHex(text, bytes.length)).toEqual(bytes);
      expect(parseHex(text.toUpperCase(), bytes.length)).toEqual(bytes);
    }),
  );
});

test.each([
  ['', 1],
  ['0', 1],
  ['000', 1],
  ['0g', 1],
  ['0x00', 1],
  ['é0', 1],
  [' 0', 1],
  ['@0', 1],
])('%j is not %d byte of hex', (text, length) => {
  expect(parseHex(text, length)).toBeNull();
});

test('short and long runs of bytes are copied alike', () => {
  for (const length of [0, 1, 48, 49, 500]) {
    const bytes = Uint8Array.from({ length }, (_, index) => index);
    const target = new Uint8Array(length + 2);
    expect(writeBytes(bytes, target, 1)).toBe(length + 1);
    expect(target.subarray(1, length + 1)).toEqual(bytes);
  }
});

test('bytes are the same only with equal length and content', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  expect(sameBytes(bytes, Uint8Array.of(1, 2, 3))).toBe(true);
  expect(sameBytes(bytes, Uint8Array.of(1, 2, 4))).toBe(false);
  expect(sameBytes(bytes, Uint8Array.of(1, 2))).toBe(false);
});
