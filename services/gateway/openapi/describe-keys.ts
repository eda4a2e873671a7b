import { agentKeyStatuses } from '../../../domain/ves/agent-key.ts';
import { agentKeyNames, publicKeyBundleNames } from '../handlers/agent-key-request.ts';
import { agentKeysLimitDefault, agentKeysLimitMax } from '../handlers/agent-keys.ts';
import {
  optionalQuery,
  type ParameterDescription,
  pathParameter,
  type RouteDescription,
} from './description.ts';
import { agentId, count, generatedId, limitQuery, tenantId, time } from './samples.ts';
import {
  about,
  absent,
  answer,
  anything,
  hex,
  integer,
  list,
  nullable,
  nullYet,
  oneOf,
  optional,
  request,
  text,
  u32,
} from './shape.ts';

/** Of RFC 8032, 7.1, test 1. */
const publicKeyText = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const publicKey = hex(32, publicKeyText);
const success = oneOf([true]);
const message = text('…');
const algorithms = 'Accepted are 0 and 1, which both mean Ed25519';
const i32 = integer(0, { minimum: -2_147_483_648, maximum: 2_147_483_647 });

const keyState = {
  keyId: u32(1),
  keyAlgorithm: integer(0),
  publicKey,
  status: oneOf(agentKeyStatuses.map((status) => status.replaceAll(' ', '_'))),
  validFrom: nullYet(time),
  validTo: nullYet(time),
  revokedAt: nullYet(time),
  createdAt: time,
};

/** An agent's signing key as a proof bundle has it. */
export const bundledAgentKey = answer({
  tenantId,
  agentId,
  keyId: u32(1),
  keyAlgorithm: integer(0),
  publicKey,
  validFrom: nullYet(time),
  validTo: nullYet(time),
  revokedAt: nullYet(time),
});

const sequencerKey = {
  keyVersion: u32(1),
  algorithm: oneOf(['ed25519']),
  publicKey,
};

/** The sequencer and those of its keys that a proof bundle needs. */
export const bundledSequencer = answer({ sequencerId: generatedId, keys: list(answer(sequencerKey)) });

/** Not needed by whoever has a tenant; the bootstrap administrator has none. */
const ofTenant: ParameterDescription = {
  ...optionalQuery('tenant_id', 'The tenant; that of the credential unless given', tenantId),
  inExample: true,
};
const ofAgent = [pathParameter('agent_id', 'The agent', agentId), ofTenant];

export const describeKeys = {
  register: {
    id: 'registerAgentKey',
    tag: 'keys',
    summary: 'Registers a public key that an agent signs with',
    who: 'admin',
    body: request(agentKeyNames, {
      tenantId,
      agentId,
      keyId: u32(1),
      publicKey: hex(32, publicKeyText, '(0x)?'),
      validFrom: absent(time),
      validTo: absent(time),
      keyAlgorithm: optional(about(algorithms, i32)),
      publicKeyBundle: absent(
        request(publicKeyBundleNames, {
          ed25519PublicKey: absent(hex(32, publicKeyText, '(0x)?')),
          mlDsa65PublicKey: absent(text('…')),
          x25519PublicKey: absent(text('…')),
          mlKem768PublicKey: absent(text('…')),
        }),
      ),
      proofOfPossessionBundle: absent(about('Goes with no Ed25519 key', anything({}))),
    }),
    answer: {
      about: 'The key counts from now on',
      shape: answer({ success, tenantId, agentId, keyId: u32(1), keyAlgorithm: integer(0), message }),
    },
    refusals: { 409: 'The agent has a key of this number' },
  },
  list: {
    id: 'listAgentKeys',
    tag: 'keys',
    summary: 'Lists the public keys of an agent, revoked ones too',
    who: 'read or admin',
    parameters: [
      ...ofAgent,
      optionalQuery('after', 'The keyId that the page before ended with', u32(1)),
      limitQuery(agentKeysLimitDefault, agentKeysLimitMax),
    ],
    answer: {
      about: 'The keys, ascending by number',
      shape: answer({ tenantId, agentId, keys: list(answer(keyState)), count }),
    },
    needs: ['registerAgentKey'],
  },
  revoke: {
    id: 'revokeAgentKey',
    tag: 'keys',
    summary: 'Makes a public key of an agent unusable for good',
    who: 'admin',
    parameters: [...ofAgent.slice(0, 1), pathParameter('key_id', 'The number of the key', u32(1)), ofTenant],
    answer: {
      about: 'No node accepts it a second later; once more changes nothing',
      shape: answer({
        success,
        tenantId,
        agentId,
        ...keyState,
        status: oneOf(['revoked']),
        revokedAt: nullable(time),
        message,
      }),
    },
    refusals: { 404: 'The agent has no such key' },
    needs: ['registerAgentKey'],
  },
  sequencer: {
    id: 'listSequencerKeys',
    tag: 'keys',
    summary: 'Tells who the sequencer is, and every public key that it ever signed with',
    who: 'any key',
    answer: {
      about: 'What receipts and commitments are checked with',
      shape: answer({
        sequencerId: generatedId,
        keys: list(answer({ ...sequencerKey, nodeId: text('node-1'), firstUsedAt: time, lastUsedAt: time })),
      }),
    },
  },
} as const satisfies Record<string, RouteDescription>;
