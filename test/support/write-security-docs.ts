import { writeFile } from 'node:fs/promises';
import { securityDocs, securityDocsPath } from './security-docs.ts';

await writeFile(securityDocsPath, securityDocs());
