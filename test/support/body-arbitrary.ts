import fc from 'fast-check';
import { ingestBody, type StoreName } from '../../bin/driver/sequencer-client.ts';
import { newEvent } from './client-load.ts';

const agentId = '33333333-3333-4333-8333-333333333333';

/**
 * Bodies for `POST /api/v1/events/ingest` that range from good to garbage: valid requests, valid ones in which one
 * value is replaced by any JSON, text or token, valid ones with a few bytes changed or the end cut off, any JSON, and
 * any bytes.
 */
export function ingestBodies(store: StoreName): fc.Arbitrary<Buffer> {
  const valid = fc.integer({ min: 1, max: 4 }).map((count) => validBody(store, count));
  return fc.oneof(
    { weight: 1, arbitrary: valid.map((text) => Buffer.from(text)) },
    { weight: 6, arbitrary: fc.tuple(valid, fc.nat(), strangeValue).map(replaceValue) },
    { weight: 3, arbitrary: fc.tuple(valid, fc.nat(), strangeKey).map(replaceKey) },
    {
      weight: 3,
      arbitrary: fc.tuple(valid, fc.array(changedByte, { minLength: 1, maxLength: 4 })).map(changeBytes),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(valid, fc.nat())
        .map(([text, cut]) => Buffer.from(text.slice(0, cut % text.length))),
    },
    { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  );
}

/** JSON text, or something close to it, that may stand where a value should. */
const strangeValue = fc.oneof(
  fc.json(),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    ...['null', '""', '[]', '{}', '0', '-0', '-1', '1.0', '1e2', '1e400', '-1e400', '01', '1.', '+1', 'NaN'],
    ...[
      '9007199254740993',
      '18446744073709551615',
      '18446744073709551616',
      '1'.repeat(400),
      `0.${'0'.repeat(400)}1`,
    ],
    ...['"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\ud83d\\ude00"', '"\\x"', '"\u0001"', '"unfinished'],
    ...['{"a":1,"a":2}', '{"__proto__":1}', '{"a":1,}', '[1,]', '{"\\u0061":1,"a":2}', 'tru', '/* */ 1'],
    ...['['.repeat(200) + ']'.repeat(200), '{"a":'.repeat(200) + '1' + '}'.repeat(200), '['.repeat(10_000)],
    ...[`"${'x'.repeat(129)}"`, `"${'x'.repeat(513)}"`, `"${'é'.repeat(64)}"`, `"${'é'.repeat(65)}"`],
    ...['"00000000-0000-0000-0000-000000000000"', '"{33333333-3333-4333-8333-333333333333}"', '"not a uuid"'],
    ...['"33333333333343338333333333333333"', '"urn:uuid:33333333-3333-4333-8333-333333333333"'],
    ...[
      '"2026-02-30T00:00:00Z"',
      '"2026-01-31T24:00:00Z"',
      '"9999-12-31T23:59:60Z"',
      '"0000-01-01T00:00:00Z"',
    ],
    ...[
      '"-000001-01-01T00:00:00Z"',
      '"2026-01-31"',
      '"2026-01-31T12:00:00.123456789+23:59"',
      '"1969-12-31T23:59:59Z"',
    ],
    ...[
      `"${'0'.repeat(64)}"`,
      `"0x${'0'.repeat(64)}"`,
      `"${'g'.repeat(64)}"`,
      '[256]',
      '[-1]',
      '[0.5]',
      '[1,2,255]',
    ],
  ),
);

const strangeKey = fc.oneof(
  fc.constantFrom(
    ...['event_id', 'events', 'agent_id', 'tenant_id', 'store_id', 'payload', 'payload_hash', 'base_version'],
    ...[
      'command_id',
      'signature',
      'sequence_number',
      'envelope_version',
      'created_at',
      'source_agent',
      '__proto__',
    ],
  ),
  fc.string(),
);

const changedByte = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));

/** With all optional fields in some of the events, so that each of them gets replaced at times. */
function validBody(store: StoreName, count: number): string {
  const events = Array.from({ length: count }, () =>
    newEvent('{"total":1.50,"lines":[{"sku":"a","n":2}],"x":null}'),
  );
  const text = ingestBody(store, agentId, events);
  const optional =
    '"envelope_version":1,"command_id":null,"base_version":null,"sequence_number":7,"signature":[1,2],"payload":';
  return text.replace('"payload":', optional);
}

const valuePattern = /(?<=:)(?:"(?:[^"\\]|\\.)*"|[\d.]+|null|\[[^[\]]*\]|\{[^{}]*\})/g;
const keyPattern = /"\w+"(?=:)/g;

function replaceValue([text, choice, value]: [string, number, string]): Buffer {
  return replaceMatch(text, valuePattern, choice, value);
}

function replaceKey([text, choice, key]: [string, number, string]): Buffer {
  return replaceMatch(text, keyPattern, choice, JSON.stringify(key));
}

function replaceMatch(text: string, pattern: RegExp, choice: number, replacement: string): Buffer {
  const matches = [...text.matchAll(pattern)];
  const match = matches[choice % matches.length];
  if (match === undefined) return Buffer.from(text);
  return Buffer.from(text.slice(0, match.index) + replacement + text.slice(match.index + match[0].length));
}

function changeBytes([text, changes]: [string, [number, number][]]): Buffer {
  const bytes = Buffer.from(text);
  for (const [place, value] of changes) bytes[place % bytes.length] = value;
  return bytes;
}
