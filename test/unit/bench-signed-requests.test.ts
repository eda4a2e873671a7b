import { randomBytes, randomUUID } from 'node:crypto';
import { makeSignedRequests } from '../../bench/load/signed-requests.ts';
import { checkVesEvent, signatureFault } from '../../domain/ves/check-event.ts';
import { readVesRequest } from '../../domain/ves/read-request.ts';
import { portableVerifyEd25519 } from '../../domain/ves/signature.ts';
import { openSigningKey } from '../../services/node-ed25519.ts';
import { nodeSha256 } from '../../services/node-sha256.ts';

test('signed requests hold events that are whole, distinct and signed by the agent of the request', async () => {
  const seeds = [randomBytes(32), randomBytes(32)];
  const agents = seeds.map((seed) => ({ agentId: randomUUID(), keyId: 7, seed: seed.toString('hex') }));
  const ids = { tenantId: randomUUID(), storeId: randomUUID() };
  const target = { url: 'http://127.0.0.1:1', apiKey: 'k' };
  const options = { ...target, ...ids, agents, payload: 'nested-1k', events: 3, requests: 4 };
  const requests = await makeSignedRequests(options);
  const eventIds = requests.flatMap((bytes, index) => {
    const [head = '', body = ''] = bytes.toString('latin1').split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`content-length: ${body.length}$`, 'i'));
    const { agentId, events } = readVesRequest(Buffer.from(body), 'strict', nodeSha256);
    expect(agentId).toBe(agents[index % 2]?.agentId);
    const { publicKey } = openSigningKey(seeds[index % 2]!);
    return events.map((event) => {
      const checked = checkVesEvent(event, 'strict', nodeSha256);
      expect(checked.fault).toBeNull();
      expect(signatureFault(checked, publicKey, portableVerifyEd25519)).toBeNull();
      return event.eventId;
    });
  });
  expect(new Set(eventIds).size).toBe(12);
});
