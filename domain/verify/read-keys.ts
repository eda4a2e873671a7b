import { Refused } from '../errors.ts';
import type { FieldReader } from '../json/fields.ts';
import type { AgentPublicKey, PublicKeys, SequencerPublicKey } from './keys.ts';
import { listOf, type ReadValue, record, values } from './read-record.ts';

/** The answers about agents' keys are in camel case, those about the sequencer's in snake case; both are read in both. */
const readKeyRecord = record(
  {},
  {
    tenant_id: values.uuid,
    tenantId: values.uuid,
    agent_id: values.uuid,
    agentId: values.uuid,
    key_id: values.u32,
    keyId: values.u32,
    key_version: values.u32,
    keyVersion: values.u32,
    public_key: values.publicKey,
    publicKey: values.publicKey,
  },
);

/** @throws Refused */
export function readSequencerKey(fields: FieldReader): SequencerPublicKey {
  const found = readKeyRecord(fields);
  return {
    keyVersion: needed(found.key_version ?? found.keyVersion, 'key_version'),
    publicKey: needed(found.public_key ?? found.publicKey, 'public_key'),
  };
}

/** @throws Refused */
export function readAgentKey(fields: FieldReader): AgentPublicKey {
  return agentKeyOf(readKeyRecord(fields), null, null);
}

/** What `GET /api/v1/sequencer/keys` answers, and the part of a bundle of the same form. */
export const readSequencer: ReadValue<PublicKeys> = (fields) => {
  const found = readSequencerRecord(fields);
  return {
    sequencerId: needed(found.sequencer_id ?? found.sequencerId, 'sequencer_id'),
    sequencerKeys: found.keys,
    agentKeys: [],
  };
};

const readSequencerRecord = record(
  { keys: listOf(readSequencerKey) },
  { sequencer_id: values.uuid, sequencerId: values.uuid },
);

const readAgentKeyList = record(
  { keys: listOf(readKeyRecord) },
  { tenant_id: values.uuid, tenantId: values.uuid, agent_id: values.uuid, agentId: values.uuid },
);

/** What `GET /api/v1/agents/:agent_id/keys` answers. */
export const readAgentKeys: ReadValue<PublicKeys> = (fields) => {
  const found = readAgentKeyList(fields);
  const tenantId = found.tenant_id ?? found.tenantId ?? null;
  const agentId = found.agent_id ?? found.agentId ?? null;
  return {
    sequencerId: null,
    sequencerKeys: [],
    agentKeys: found.keys.map((key) => agentKeyOf(key, tenantId, agentId)),
  };
};

function agentKeyOf(
  found: ReturnType<typeof readKeyRecord>,
  tenantId: AgentPublicKey['tenantId'],
  agentId: AgentPublicKey['agentId'] | null,
): AgentPublicKey {
  return {
    tenantId: found.tenant_id ?? found.tenantId ?? tenantId,
    agentId: needed(found.agent_id ?? found.agentId ?? agentId ?? undefined, 'agent_id'),
    keyId: needed(found.key_id ?? found.keyId, 'key_id'),
    publicKey: needed(found.public_key ?? found.publicKey, 'public_key'),
  };
}

function needed<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Refused('WRONG_SHAPE', `a key lacks its ${name}`);
  return value;
}
