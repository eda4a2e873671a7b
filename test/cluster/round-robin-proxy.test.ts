import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RoundRobinProxy } from '../../bin/cluster/round-robin-proxy.ts';
import { findFreePort } from '../../bin/driver/free-port.ts';
import { until } from '../support/until.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that answers `/ready` with `ready.status`, and everything else as given. */
async function openNode(answer: RequestListener, ready = { status: 200 }): Promise<string> {
  const server: Server = createServer((req, res) => {
    if (req.url !== '/ready') return answer(req, res);
    res.writeHead(ready.status);
    res.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    return closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function says(name: string): RequestListener {
  return (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      res.writeHead(200, { 'x-node': name });
      res.end(Buffer.concat(chunks));
    });
  };
}

async function openProxy(...urls: string[]): Promise<string> {
  const proxy = await RoundRobinProxy.open(urls, 0);
  closers.push(() => proxy.close());
  return proxy.url;
}

async function post(url: string, body = 'x'): Promise<{ status: number; node: string | null; body: string }> {
  const response = await fetch(url, { method: 'POST', body });
  return { status: response.status, node: response.headers.get('x-node'), body: await response.text() };
}

test('requests go to one node after the other, with their bodies', async () => {
  const url = await openProxy(await openNode(says('a')), await openNode(says('b')));
  const long = 'y'.repeat(3_000_000);
  const answers = [await post(url, long), await post(url, long), await post(url, long)];
  expect(answers.map(({ node }) => node)).toEqual(['a', 'b', 'a']);
  expect(answers.every(({ body }) => body === long)).toBe(true);
});

test('a request that a node refuses to take goes to the next', async () => {
  const url = await openProxy(`http://127.0.0.1:${await findFreePort()}`, await openNode(says('b')));
  for (let round = 0; round < 4; round += 1) {
    expect(await post(url, 'whole')).toEqual({ status: 200, node: 'b', body: 'whole' });
  }
});

test('a node that is not ready gets no requests while another is', async () => {
  const ready = { status: 200 };
  const url = await openProxy(await openNode(says('a'), ready), await openNode(says('b')));
  ready.status = 503;
  const bothTimes = async (): Promise<(string | null)[]> => [(await post(url)).node, (await post(url)).node];
  await until('only b is asked', async () => (await bothTimes()).every((node) => node === 'b'));
  ready.status = 200;
  await until('both are asked', async () => new Set(await bothTimes()).size === 2);
});

test('what a node has begun to take is not sent to another', async () => {
  let taken = 0;
  const breaks: RequestListener = (req) => {
    taken += 1;
    req.socket.destroy();
  };
  const url = await openProxy(await openNode(breaks), await openNode(breaks));
  expect((await post(url)).status).toBe(502);
  expect(taken).toBe(1);
});

test('without any node the answer is 503', async () => {
  const url = await openProxy(`http://127.0.0.1:${await findFreePort()}`);
  expect((await post(url)).status).toBe(503);
});
