import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleFormat, bundleFormatVersion } from '../../domain/verify/read-bundle.ts';
import { exportFormat, exportFormatVersion } from '../../domain/verify/read-export.ts';
import { verifyRules } from '../../domain/verify/verify.ts';

const docs = readFileSync(join(import.meta.dirname, '../../docs/verify.md'), 'utf8');

test('the documentation lists every rule with its words, and no other', () => {
  const table = docs.slice(docs.indexOf('## The rules'), docs.indexOf('### What nothing covers'));
  const rows = [...table.matchAll(/^\| `([a-z-]+)` +\| (.*?) +\|$/gm)].map(([, rule, words]) => [
    rule,
    words,
  ]);
  expect(Object.fromEntries(rows)).toEqual(verifyRules);
});

test('the documentation names the formats as they are', () => {
  expect(docs).toContain(`\`${bundleFormat}\`, ${bundleFormatVersion}`);
  expect(docs).toContain(`"format":"${exportFormat}","format_version":${exportFormatVersion}`);
});
