import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { variableOf } from '../../services/gateway/openapi/curl.ts';
import { faultOf } from '../support/answer-schemas.ts';
import { nameOf, routesInOrder, valueAt } from '../support/example-calls.ts';
import { projectExamples } from '../support/example-projections.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { adminKey, openVesNode, type VesNode } from '../support/ves-node.ts';

const run = promisify(execFile);

interface Operation {
  readonly operationId: string;
  readonly description: string;
}

let database: TestDatabase;
let node: VesNode;
beforeAll(async () => {
  database = await createTestDatabase();
  node = await openVesNode(database.url, { env: { PUBLIC_AGENT_REGISTRATION_ENABLED: 'true' } });
  await projectExamples(node);
});
afterAll(async () => {
  await node.close();
  await database.drop();
});

/** Runs a curl command in a shell, as a reader would who pasted it. */
async function paste(
  command: string,
  variables: Readonly<Record<string, string>>,
): Promise<{ status: number; body: string }> {
  const script = `${command} -w '\\n%{http_code}'`;
  const env = { PATH: process.env.PATH, URL: node.url, KEY: adminKey, ...variables };
  const { stdout } = await run('bash', ['-euc', script], { env, maxBuffer: 16_777_216 });
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
}

test('every example of the document works when it is pasted, and is answered as the document says', async () => {
  const response = await fetch(`${node.url}/openapi.json`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, Operation>> };
  const operations = new Map(
    Object.values(paths).flatMap((path) => Object.values(path).map((each) => [each.operationId, each])),
  );
  const answers = new Map<string, unknown>();
  const answered: string[] = [];
  for (const route of routesInOrder()) {
    const { id, answer, parameters = [] } = route.description;
    const command = /```sh\n([^]*?)\n```/.exec(operations.get(id)?.description ?? '')?.[1] ?? '';
    const sources = parameters.flatMap(({ from }) => (from ? [from] : []));
    const variables = Object.fromEntries(
      sources.map(({ operation, pointer }) => [
        variableOf(pointer),
        valueAt(answers.get(operation), pointer),
      ]),
    );
    const { status, body } = await paste(command, variables);
    expect([nameOf(route), status, status === 200 ? '' : body]).toEqual([nameOf(route), 200, '']);
    answered.push(id);
    if (answer.shape === null) continue;
    const json: unknown = JSON.parse(body);
    answers.set(id, json);
    expect([nameOf(route), faultOf(json, answer.shape.schema)]).toEqual([nameOf(route), null]);
  }
  expect(answered.sort()).toEqual([...operations.keys()].sort());
});

test('the reference page holds nothing but this node, and its files are there', async () => {
  for (const path of ['/docs', '/docs/']) {
    const response = await fetch(node.url + path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'self'; script-src 'self' 'sha256-[^ ;]+'; connect-src 'self';/,
    );
    const html = await response.text();
    expect(html).not.toMatch(/https?:/);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
    expect(files).toHaveLength(3);
    for (const file of files) {
      const answer = await fetch(node.url + file, { headers: { 'accept-encoding': 'gzip' } });
      expect([file, answer.status]).toEqual([file, 200]);
      expect(answer.headers.get('content-encoding')).toBe('gzip');
      expect(answer.headers.get('content-type')).toMatch(/^(text\/css|text\/javascript|image\/png)/);
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(500);
    }
  }
});

test.each([
  'package.json',
  'index.html',
  '..%2fpackage.json',
  '%2e%2e',
  'swagger-ui.css%00',
  'swagger-ui.js',
])('of the package of the viewer %s is not served', async (file) => {
  expect((await node.send('GET', `/docs/${file}`)).status).toBe(404);
});
