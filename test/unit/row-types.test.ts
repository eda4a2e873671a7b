import { rowTypes } from '../../storage/postgres/row-types.ts';

const timestamptz = 1184;
const micros = (text: string): unknown => rowTypes.getTypeParser(timestamptz)(text);

test.each([
  ['2025-12-20 18:31:22+00', '2025-12-20T18:31:22.000Z', 0],
  ['2025-12-20 18:31:22.1+00', '2025-12-20T18:31:22.100Z', 0],
  ['2025-12-20 18:31:22.123456+00', '2025-12-20T18:31:22.123Z', 456],
  ['2025-12-21 00:00:00.000001+00', '2025-12-21T00:00:00.000Z', 1],
  ['2024-02-29 23:59:59.999999+00', '2024-02-29T23:59:59.999Z', 999],
  ['1969-12-31 23:59:59.999999+00', '1969-12-31T23:59:59.999Z', 999],
  ['0001-01-01 00:00:00+00', '0001-01-01T00:00:00.000Z', 0],
  ['9999-12-31 23:59:59.999999+00', '9999-12-31T23:59:59.999Z', 999],
  ['12025-01-02 03:04:05.6+00', '+012025-01-02T03:04:05.600Z', 0],
  ['0001-02-03 04:05:06+00 BC', '0000-02-03T04:05:06.000Z', 0],
])('the instant %s is read to the microsecond', (text, iso, microsMore) => {
  expect(micros(text)).toBe(BigInt(Date.parse(iso)) * 1_000n + BigInt(microsMore));
});

test.each([
  '2025-12-20 18:31:22+01',
  '2025-12-20 18:31:22',
  '2025-12-20T18:31:22+00',
  'infinity',
  '2025-13-01 00:00:00+00x',
])('%s is no instant in the form that sessions ask for', (text) => {
  expect(() => micros(text)).toThrow('is no timestamp in UTC and ISO style');
});
