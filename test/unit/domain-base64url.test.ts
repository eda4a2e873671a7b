import fc from 'fast-check';
import { parseBase64Url } from '../../domain/base64url.ts';

test('any bytes are read back, padded or not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64url');
      const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=');
      expect(parseBase64Url(text, 'strict')).toEqual(bytes);
      expect(parseBase64Url(text, 'lenient')).toEqual(bytes);
      expect(parseBase64Url(padded, 'lenient')).toEqual(bytes);
      expect(parseBase64Url(padded, 'strict')).toEqual(padded === text ? bytes : null);
    }),
  );
});

test.each([
  ['A', 'a length that no bytes have'],
  ['AAAAA', 'a length that no bytes have'],
  ['AB', 'bits beyond the last byte'],
  ['AAB', 'bits beyond the last byte'],
  ['AA+A', 'the other base64 alphabet'],
  ['AA/A', 'the other base64 alphabet'],
  ['AA A', 'a space'],
  ['AAAé', 'a character beyond ASCII'],
  ['AA=', 'half of its padding'],
  ['AAA==', 'too much padding'],
  ['A===', 'padding only'],
  ['====', 'padding only'],
  ['AA==AA==', 'padding in the middle'],
])('%j is refused for %s', (text) => {
  expect(parseBase64Url(text, 'lenient')).toBeNull();
  expect(parseBase64Url(text, 'strict')).toBeNull();
});
