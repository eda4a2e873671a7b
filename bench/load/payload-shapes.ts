/**
 * Payloads as templates: each run of `@` becomes random hex digits of its length, each run of `#` random digits, anew
 * for every event, so that nothing is alike or compresses away.
 */
export const payloadShapes: Readonly<Record<string, string>> = {
  'nested-1k': nestedOrder(4),
  'nested-10k': nestedOrder(60),
  'nested-100k': nestedOrder(620),
  'small-150':
    '{"sku":"@@@@@@@@@@@@@@@@","on_hand":####,"reserved":##,"warehouse":"@@@@@@@@","counted_by":"@@@@@@@@@@@@@@@@@@@@@@@@","delta":-##,"final":true,"note":null}',
  'flat-1k': `{${Array.from({ length: 20 }, (_, field) => `"field_${String(field).padStart(2, '0')}":"${'@'.repeat(36)}"`).join(',')}}`,
};

/** An order with its customer and some lines of about 165 bytes. */
function nestedOrder(lines: number): string {
  return JSON.stringify({
    order: {
      id: '@@@@@@@@@@@@@@@@',
      placed_at: '2026-01-31T12:00:00.000Z',
      channel: 'web',
      customer: {
        id: '@@@@@@@@@@@@@@@@',
        email: '@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@',
        address: { street: '@@@@@@@@@@@@@@@@@@@@@@@@', city: 'Utrecht', zip: '####', country: 'NL' },
      },
    },
    lines: Array.from({ length: lines }, (_, index) => ({
      line: index + 1,
      sku: '@@@@@@@@@@@@',
      quantity: '##',
      price: { amount: '###.##', currency: 'EUR', tax: { rate: 0.21, included: true } },
      note: '@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@',
    })),
    totals: { net: '####.##', tax: '###.##', gross: '####.##', refunded: null },
    tags: ['@@@@@@@@', '@@@@@@@@'],
  }).replaceAll(/"([#.]+)"/g, '$1');
}
