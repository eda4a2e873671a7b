import type { ListedKey } from './key-access.ts';

const headings = ['PREFIX', 'STATE', 'MAY', 'AGENT', 'STORES', 'A MINUTE', 'MADE'];

/** Keys as a table with a line of headings. */
export function keyTable(keys: readonly ListedKey[]): string {
  const rows = [headings, ...keys.map(cellsOf)];
  const widths = headings.map((_heading, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cellsOf({
  keyHashPrefix,
  active,
  permissions,
  agentId,
  storeIds,
  rateLimit,
  createdAt,
}: ListedKey): string[] {
  return [
    keyHashPrefix,
    active ? 'active' : 'revoked',
    permissions,
    agentId ?? '-',
    storeIds.length === 0 ? 'all' : String(storeIds.length),
    rateLimit === null ? 'no limit' : String(rateLimit),
    createdAt,
  ];
}
