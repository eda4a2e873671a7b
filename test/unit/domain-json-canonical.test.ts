import fc from 'fast-check';
import { utf8Bytes } from '../../domain/bytes.ts';
import { Refused } from '../../domain/errors.ts';
import { canonicalText } from '../../domain/json/canonical.ts';
import type { TextForm } from '../../domain/json/number.ts';
import { vectors } from '../vectors/ves-v1.ts';

function canonical(text: string | Uint8Array, form: TextForm): string {
  const bytes = typeof text === 'string' ? utf8Bytes(text) : text;
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(canonicalText(bytes, form));
}

function refusalOf(text: string | Uint8Array): Refused {
  try {
    canonical(text, 'legacy');
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

/** RFC 8785 by way of the platform's own JSON. */
function jcsByPlatform(text: string): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    const result = Object.create(null) as Record<string, unknown>;
    for (const name of Object.keys(value).sort()) result[name] = sorted((value as any)[name]);
    return result;
  };
  const write = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    // Not by JSON.stringify, which puts names that look like integers first.
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${write((value as any)[name])}`).join(',')}}`;
  };
  return write(sorted(JSON.parse(text)));
}

describe('the published vectors', () => {
  test.each(vectors.json)('$name', ({ input, jcs, legacy_json }) => {
    expect(canonical(input, 'jcs')).toBe(jcs);
    expect(canonical(input, 'legacy')).toBe(legacy_json);
  });

  test.each(vectors.json_reject)('%s is refused', (text) => {
    expect(refusalOf(text).code).toBe('UNREADABLE_JSON');
  });
});

describe('legacy numbers', () => {
  test.each([
    ['0', '0'],
    ['-0', '-0.0'],
    ['0.0', '0.0'],
    ['-0.0', '-0.0'],
    ['1.0', '1.0'],
    ['1e2', '100.0'],
    ['123456789012345', '123456789012345'],
    ['1234567890123456', '1234567890123456'],
    ['18446744073709551615', '18446744073709551615'],
    ['18446744073709551616', '1.8446744073709552e19'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['-9223372036854775809', '-9.223372036854776e18'],
    ['12.34', '12.34'],
    ['12.340', '12.34'],
    ['0.00001', '0.00001'],
    ['0.000001', '1e-6'],
    ['0.0000012', '1.2e-6'],
    ['-0.5', '-0.5'],
    ['1e16', '1e16'],
    ['1e15', '1000000000000000.0'],
    ['1234567890.123456789', '1234567890.1234567'],
    ['9007199254740993.5', '9007199254740994.0'],
    ['1.7976931348623157e308', '1.7976931348623157e308'],
    ['5e-324', '5e-324'],
    ['1e-400', '0.0'],
    ['-1e-400', '-0.0'],
  ])('%s is written %s', (token, expected) => {
    expect(canonical(token, 'legacy')).toBe(expected);
    expect(canonical(`{"a":[${token}]}`, 'legacy')).toBe(`{"a":[${expected}]}`);
  });

  test('any double reads back as itself and is seen to be a double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        for (const token of [value.toExponential(), value.toPrecision(21)]) {
          const text = canonical(token, 'legacy');
          expect(Number(text)).toBe(Number(token));
          if (/[.e]/.test(token)) expect(text).toMatch(/[.e]/);
        }
      }),
    );
  });

  test('the short way for plain decimals gives what the exact way gives', () => {
    const decimals = fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.stringMatching(/^[0-9]{1,13}$/));
    fc.assert(
      fc.property(decimals, ([whole, fraction]) => {
        const token = `${whole}.${fraction}`;
        // An exponent of zero changes nothing but the way that is taken.
        expect(canonical(token, 'legacy')).toBe(canonical(`${token}e0`, 'legacy'));
        expect(canonical(token, 'jcs')).toBe(canonical(`${token}e0`, 'jcs'));
      }),
    );
  });
});

describe('the order of names', () => {
  test('a repeated name keeps its last value, however it is spelt', () => {
    expect(canonical('{"b":1,"\\u0061":2,"a":3,"b":4}', 'legacy')).toBe('{"a":3,"b":4}');
    expect(canonical('{"a":1,"a":2}', 'legacy')).toBe('{"a":2}');
  });

  test('escaped characters sort by what they stand for', () => {
    expect(canonical('{"\\\\":1,"[":2,"]":3,"\\"":4,"!":5,"#":6,"\\u001f":7,"\\n":8}', 'legacy')).toBe(
      '{"\\n":8,"\\u001f":7,"!":5,"\\"":4,"#":6,"[":2,"\\\\":1,"]":3}',
    );
  });

  test('a name sorts before those that it begins', () => {
    expect(canonical('{"ab":1,"a":2,"":3,"a\\n":4}', 'legacy')).toBe('{"":3,"a":2,"a\\n":4,"ab":1}');
  });

  test('objects inside a re-ordered one stay with their names', () => {
    expect(canonical('{"z":{"y":[{"b":1,"a":2}],"x":3},"a":{"q":1,"p":2}}', 'legacy')).toBe(
      '{"a":{"p":2,"q":1},"z":{"x":3,"y":[{"a":2,"b":1}]}}',
    );
  });

  test('names of any characters sort as the platform sorts them', () => {
    const names = fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 6 }), { maxLength: 60 });
    fc.assert(
      fc.property(names, (unsorted) => {
        const text = `{${unsorted.map((name, index) => `${JSON.stringify(name)}:${index}`).join(',')}}`;
        expect(canonical(text, 'jcs')).toBe(jcsByPlatform(text));
        const byUtf8 = Object.keys(JSON.parse(canonical(text, 'legacy')) as object).filter(
          (name) => !/^\d+$/.test(name),
        );
        expect(byUtf8).toEqual(byUtf8.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
    );
  });

  test('a hundred thousand names are sorted in no more than a moment', () => {
    const members = Array.from({ length: 100_000 }, (_, index) => `"${(index * 7919) % 100_003}":0`);
    const text = `{${members.join(',')}}`;
    expect(canonical(text, 'jcs')).toBe(jcsByPlatform(text));
  });
});

describe('what is refused, and where', () => {
  test.each([
    ['', 'a value is missing', ''],
    ['   ', 'a value is missing', ''],
    ['tru', 'a value is missing', ''],
    ['nul', 'a value is missing', ''],
    ['NaN', 'a value is missing', ''],
    ['{"a":undefined}', 'a value is missing', 'a'],
    ['{"a":1', 'a comma or } is missing', 'a'],
    ['{"a" 1}', 'a colon is missing after a name', 'a'],
    ['{"a":1,}', 'a name in double quotes is missing', ''],
    ['{a:1}', 'a name in double quotes is missing', ''],
    ['[1 2]', 'a comma or ] is missing', '[0]'],
    ['[1,]', 'a value is missing', '[1]'],
    ['[1', 'a comma or ] is missing', '[0]'],
    ['{"a":1}}', 'something follows the end of the document', ''],
    ['"abc', 'a string is not closed', ''],
    ['{"abc', 'a string is not closed', 'abc'],
    ['"\\', 'a string has an unknown escape', ''],
    ['"\\x"', 'a string has an unknown escape', ''],
    ['"\\u00g0"', 'a string has an unknown escape', ''],
    ['"\\ud800"', 'a string has half of a surrogate pair', ''],
    ['"\\ud800\\n"', 'a string has half of a surrogate pair', ''],
    ['"\\ud800\\ud800"', 'a string has half of a surrogate pair', ''],
    ['"\\ud800\\u00zz"', 'a string has an unknown escape', ''],
    ['"\\udc00"', 'a string has half of a surrogate pair', ''],
    ['"a\nb"', 'a string has a control character that is not escaped', ''],
    ['01', 'a number begins with a zero', ''],
    ['-', 'a digit is missing in a number', ''],
    ['-a', 'a digit is missing in a number', ''],
    ['1.', 'a digit is missing in a number', ''],
    ['1.e5', 'a digit is missing in a number', ''],
    ['1e', 'a digit is missing in a number', ''],
    ['1e+', 'a digit is missing in a number', ''],
    ['-1e400', 'a number is out of range', ''],
    [`${'9'.repeat(400)}`, 'a number is out of range', ''],
    ['{"items":[{"price":1},{"price":.5}]}', 'a value is missing', 'items[1].price'],
    ['{"a":{"b":[[],[1,2,x]]}}', 'a value is missing', 'a.b[1][2]'],
    ['{"odd name":{"q\\"":!}}', 'a value is missing', '["odd name"]["q\\""]'],
    ['{"a":"x,[{","b":[1,!]}', 'a value is missing', 'b[1]'],
  ])('%s: %s in %j', (text, sentence, path) => {
    const refusal = refusalOf(text);
    expect(refusal).toMatchObject({ kind: 'rejected', code: 'UNREADABLE_JSON', data: { path } });
    expect(refusal.message).toContain(sentence);
  });

  test.each([
    ['a stray continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong three-byte form', [0xe0, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a cut character', [0xe2, 0x82]],
    ['an overlong four-byte form', [0xf0, 0x80, 0x80, 0x80]],
    ['a character beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a byte that UTF-8 never has', [0xff]],
  ])('%s in a string', (_name, bytes) => {
    const refusal = refusalOf(Uint8Array.of(0x5b, 0x22, ...bytes, 0x22, 0x5d));
    expect(refusal.message).toContain('a string is not UTF-8');
    expect(refusal.data).toMatchObject({ offset: 2, path: '[0]' });
  });

  test('a byte order mark', () => {
    expect(refusalOf('\ufeff{}').data).toMatchObject({ offset: 0 });
  });

  test('more than 127 levels', () => {
    const nested = (levels: number): string => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;
    expect(canonical(nested(126), 'legacy')).toBe(nested(126));
    expect(canonical(`[${nested(126)}]`, 'legacy')).toBe(`[${nested(126)}]`);
    expect(refusalOf(nested(128)).message).toContain('values nest deeper than 127 levels');
    expect(refusalOf('['.repeat(1_000_000)).message).toContain('values nest deeper than 127 levels');
  });

  test('a document after a refused one is read as if nothing had happened', () => {
    refusalOf('{"b":{"d":1,"c":[');
    expect(canonical('{"b":{"d":1,"c":2},"a":3}', 'legacy')).toBe('{"a":3,"b":{"c":2,"d":1}}');
  });
});

describe('any JSON', () => {
  test('has the JCS text that the platform would write', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(canonical(text, 'jcs')).toBe(jcsByPlatform(text));
      }),
      { numRuns: 500 },
    );
  });

  test('has a canonical text that is its own canonical text, in both forms', () => {
    const spaces = fc.constantFrom('', ' ', '\n', '\t ', '\r\n');
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), spaces, (value, space) => {
        for (const form of ['legacy', 'jcs'] as const) {
          const once = canonical(JSON.stringify(value, null, space), form);
          expect(canonical(once, form)).toBe(once);
          expect(JSON.parse(once)).toEqual(JSON.parse(JSON.stringify(value)));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is read only if the platform reads it too', () => {
    const texts = fc.tuple(
      fc.json({ maxDepth: 3 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
    );
    fc.assert(
      fc.property(texts, ([text, changes]) => {
        const bytes = utf8Bytes(text);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        let mine: string | null = null;
        try {
          mine = canonical(bytes, 'jcs');
        } catch (error) {
          expect(error).toBeInstanceOf(Refused);
        }
        if (mine === null) return;
        const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
        expect(mine).toBe(jcsByPlatform(decoded));
      }),
      { numRuns: 2_000 },
    );
  });
});

test('numbers that grow on the way make room for themselves', () => {
  const many = `[${Array.from({ length: 50_000 }, () => '1e15').join(',')}]`;
  expect(canonical(many, 'legacy')).toBe(
    `[${Array.from({ length: 50_000 }, () => '1000000000000000.0').join(',')}]`,
  );
});
