import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { principals, routeAccess } from './route-access.ts';

export const securityDocsPath = join(import.meta.dirname, '../../docs/security.md');

/** The page as it should be: what stands there, with the table of route-access.ts in its place. */
export function securityDocs(): string {
  const page = readFileSync(securityDocsPath, 'utf8');
  const begin = page.indexOf('-->\n', page.indexOf('<!-- table: begin')) + 4;
  const end = page.indexOf('<!-- table: end');
  return `${page.slice(0, begin)}\n${legend()}\n\n${table()}\n\n${page.slice(end)}`;
}

function legend(): string {
  return Object.entries(principals)
    .map(([kind, description]) => `- \`${kind}\`: ${description}`)
    .join('\n');
}

/** In columns, as the formatter of this project wants it. */
function table(): string {
  const kinds = Object.keys(principals);
  const rows = Object.entries(routeAccess).map(([route, statuses]) => [
    `\`${route}\``,
    ...kinds.map((kind) => String(statuses[kind])),
  ]);
  const head = ['route', ...kinds];
  const widths = head.map((name, column) =>
    Math.max(name.length, 3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
