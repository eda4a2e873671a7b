import { adminKey, openGateway, type OpenedGateway } from '../support/open-gateway.ts';

const authorized = { authorization: `ApiKey ${adminKey}` };

let gateway: OpenedGateway;
beforeAll(async () => {
  gateway = await openGateway({
    settings: { trustProxyHeaders: true, adminIpAllowlist: ['192.0.2.0/24', '2001:db8::7'] },
  });
});
afterAll(() => gateway.stop());

const from = (client: string) => ({ 'x-forwarded-for': client });

test.each(['192.0.2.1', '2001:db8::7'])('%s, which is in the list, reaches /metrics', async (client) => {
  const response = await gateway.fetch('/metrics', { headers: { ...authorized, ...from(client) } });
  expect(response.status).toBe(200);
});

test.each(['192.0.3.1', '2001:db8::8', 'nobody'])(
  '%s, which is not, gets the form of the gate, whoever it is',
  async (client) => {
    for (const credential of [{}, authorized, { authorization: 'ApiKey ss_unknown' }]) {
      const response = await gateway.fetch('/metrics', { headers: { ...credential, ...from(client) } });
      expect(response.status).toBe(403);
      expect(await response.json()).toEqual({ error: expect.any(String), code: 'ADMIN_IP_DENIED' });
    }
  },
);

test('an address in the list still needs a credential', async () => {
  expect((await gateway.fetch('/metrics', { headers: from('192.0.2.1') })).status).toBe(401);
});

test('a wrong method is refused by address first', async () => {
  const post = (client: string) =>
    gateway.fetch('/metrics', { method: 'POST', headers: { ...authorized, ...from(client) } });
  expect((await post('192.0.3.1')).status).toBe(403);
  expect((await post('192.0.2.1')).status).toBe(405);
});

test.each(['/health', '/ready', '/nowhere'])('%s is for every address', async (path) => {
  expect((await gateway.fetch(path, { headers: from('192.0.3.1') })).status).not.toBe(403);
});
