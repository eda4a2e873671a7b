import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestDatabase, serverNames } from '../support/postgres.ts';
import { dumpSchema } from '../support/schema-dump.ts';

const file = join(import.meta.dirname, '..', '..', 'migrations', 'schema.txt');

// A reviewer sees in this file what a migration does to the schema. After a change write it anew:
// UPDATE_SCHEMA=1 npm run test:jest -- test/integration/migrate-schema
test.each(serverNames)('the migrations make the schema of migrations/schema.txt on %s', async (server) => {
  const database = await createTestDatabase(server);
  try {
    const schema = await dumpSchema(database.url);
    if (process.env.UPDATE_SCHEMA !== undefined && server === serverNames[0]) await writeFile(file, schema);
    expect(schema).toBe(await readFile(file, 'utf8'));
  } finally {
    await database.drop();
  }
});
