import fc from 'fast-check';
import { formatInstant, formatTimestamp, parseTimestamp } from '../../domain/time.ts';
import type { Micros } from '../../domain/types.ts';
import { vectors } from '../vectors/ves-v1.ts';

function micros(value: bigint): Micros {
  return value as Micros;
}

describe('parseTimestamp', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0n],
    ['1969-12-31T23:59:59.999999Z', -1n],
    ['2025-12-20T18:31:22Z', 1_766_255_482_000_000n],
    ['2025-12-20t18:31:22z', 1_766_255_482_000_000n],
    ['2025-12-20 18:31:22+00:00', 1_766_255_482_000_000n],
    ['2025-12-20T18:31:22-00:00', 1_766_255_482_000_000n],
    ['2025-12-20T20:01:22+01:30', 1_766_255_482_000_000n],
    ['2025-12-19T18:32:22-23:59', 1_766_255_482_000_000n],
    ['2025-12-20T18:31:22.1Z', 1_766_255_482_100_000n],
    ['2025-12-20T18:31:22.123456789012345678Z', 1_766_255_482_123_456n],
    ['2016-12-31T23:59:60Z', 1_483_228_800_000_000n],
    ['2016-12-31T23:59:60.5Z', 1_483_228_800_500_000n],
    ['2024-02-29T00:00:00Z', 1_709_164_800_000_000n],
    ['2000-02-29T00:00:00Z', 951_782_400_000_000n],
    ['9999-12-31T23:59:59.999999Z', 253_402_300_799_999_999n],
    ['0000-01-01T00:00:00Z', -62_167_219_200_000_000n],
  ])('reads %s', (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected);
  });

  test.each([
    '',
    '2025-12-20',
    '2025-12-20T18:31:22',
    '2025-12-20T18:31Z',
    '2025-12-20_18:31:22Z',
    '2025-13-01T00:00:00Z',
    '2025-00-01T00:00:00Z',
    '2025-01-00T00:00:00Z',
    '2025-04-31T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2025-12-20T24:00:00Z',
    '2025-12-20T18:60:00Z',
    '2025-12-20T18:31:61Z',
    '2025-12-20T18:31:22.Z',
    '2025-12-20T18:31:22,5Z',
    '2025-12-20T18:31:22+0100',
    '2025-12-20T18:31:22+24:00',
    '2025-12-20T18:31:22+01:60',
    '2025-12-20T18:31:22Z ',
    ' 2025-12-20T18:31:22Z',
    '+025-12-20T18:31:22Z',
    '12025-12-20T18:31:22Z',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:60Z',
    '1766255482',
  ])('refuses %j', (text) => {
    expect(parseTimestamp(text)).toBeNull();
  });

  test('agrees with the calendar of the platform for every day of the cycle of the calendar', () => {
    // The calendar repeats after 146,097 days. 25 has no factor in common with that and there are 25 cycles in these
    // years, so this step meets every day of the cycle once.
    const stepMs = 25 * 86_400_000;
    const mismatches: string[] = [];
    for (let ms = Date.parse('0000-01-01'); ms <= Date.parse('9999-12-31'); ms += stepMs) {
      const text = new Date(ms).toISOString();
      if (parseTimestamp(text) !== BigInt(ms) * 1000n) mismatches.push(text);
    }
    expect(mismatches).toEqual([]);
  });
});

describe('formatTimestamp', () => {
  test.each(vectors.primitives.timestamps)('writes $plus_form', ({ seconds, nanos, plus_form, z_form }) => {
    expect(formatInstant(seconds, nanos, '+00:00')).toBe(plus_form);
    expect(formatInstant(seconds, nanos, 'Z')).toBe(z_form);
    const stored = micros(BigInt(seconds) * 1_000_000n + BigInt(Math.trunc(nanos / 1000)));
    if (nanos % 1000 === 0) expect(formatTimestamp(stored, 'Z')).toBe(z_form);
  });

  test('counts the fraction forward before 1970', () => {
    expect(formatTimestamp(micros(-1n), 'Z')).toBe('1969-12-31T23:59:59.999999Z');
    expect(formatTimestamp(micros(-1_000_000n), 'Z')).toBe('1969-12-31T23:59:59Z');
    expect(formatTimestamp(micros(-1_500_000n), 'Z')).toBe('1969-12-31T23:59:58.500Z');
  });

  test('what it writes is read back as the same instant', () => {
    const instants = fc.bigInt({ min: -62_167_219_200_000_000n, max: 253_402_300_799_999_999n });
    fc.assert(
      fc.property(instants, fc.constantFrom('Z' as const, '+00:00' as const), (instant, suffix) => {
        expect(parseTimestamp(formatTimestamp(micros(instant), suffix))).toBe(instant);
      }),
    );
  });
});
