import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { manifests } from './kubernetes/manifests.ts';

const directory = join(import.meta.dirname, '../docker/kubernetes');

for (const [path, text] of manifests()) {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), text);
}
