import { readFileSync } from 'node:fs';
import { securityDocs, securityDocsPath } from '../support/security-docs.ts';

test('docs/security.md has the table that the test of all routes and callers goes by', () => {
  // Else run npm run docs:security.
  expect(readFileSync(securityDocsPath, 'utf8')).toBe(securityDocs());
});
