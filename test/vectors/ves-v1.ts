import { readFileSync } from 'node:fs';

/**
 * The published test vectors of VES v1 and legacy v1. Values outside an `event` are bare hex; inside they are as on the
 * wire. Payloads are raw text, because the kind of a number token matters.
 */
export const vectors = JSON.parse(
  readFileSync(new URL('./ves-v1.json', import.meta.url), 'utf8'),
) as VectorFile;

interface VectorFile {
  readonly keys: {
    readonly ed25519: readonly KeyVector[];
    readonly sequencer: KeyVector & { readonly sequencer_id: string; readonly key_version: number };
  };
  readonly domains: readonly { readonly name: string; readonly ascii: string; readonly hex: string }[];
  readonly primitives: {
    readonly u32_be: readonly { readonly value: string; readonly hex: string }[];
    readonly u64_be: readonly { readonly value: string; readonly hex: string }[];
    readonly enc_str: readonly { readonly value: string; readonly hex: string }[];
    readonly uuid: readonly { readonly value: string; readonly bytes16: string }[];
    readonly pad_leaf: string;
    readonly node_pairs: readonly {
      readonly left: string;
      readonly right: string;
      readonly ves_node: string;
      readonly legacy_node: string;
    }[];
    readonly timestamps: readonly {
      readonly seconds: number;
      readonly nanos: number;
      readonly plus_form: string;
      readonly z_form: string;
    }[];
  };
  readonly json: readonly {
    readonly name: string;
    readonly input: string;
    readonly jcs: string;
    readonly payload_plain_hash: string;
    readonly legacy_json: string;
    readonly legacy_payload_hash: string;
  }[];
  readonly json_reject: readonly string[];
  readonly salted: readonly {
    readonly input: string;
    readonly salt: string;
    readonly payload_plain_hash: string;
  }[];
  readonly misc: {
    readonly pop_challenge: readonly { readonly public_key: string; readonly challenge: string }[];
    readonly policy_hash: readonly {
      readonly policy_id: string;
      readonly policy_params_json: string;
      readonly policy_hash: string;
    }[];
    readonly proof_hash: {
      readonly proof: string;
      readonly validity_proof_hash: string;
      readonly compliance_proof_hash: string;
    };
  };
  readonly streams: readonly {
    readonly tenant_id: string;
    readonly store_id: string;
    readonly stream_id: string;
    readonly first8_as_i64: string;
  }[];
  readonly ves_events: readonly VesEventVector[];
  readonly ves_negative: readonly {
    readonly name: string;
    readonly event: VesEnvelopeVector;
    readonly public_key: string;
    readonly signature_valid: boolean;
  }[];
  readonly ves_stream: {
    readonly tenant_id: string;
    readonly store_id: string;
    readonly stream_id: string;
    readonly events: readonly VesEventVector[];
    readonly commitments: readonly (RangeVector & {
      readonly leaf_count: number;
      readonly padded_leaf_count: number;
      readonly tree_depth: number;
      readonly merkle_root: string;
      readonly proofs: readonly ProofVector[];
    })[];
  };
  readonly ves_proof_negative: readonly {
    readonly name: string;
    readonly leaf_hash: string;
    readonly leaf_index: number;
    readonly proof_path: readonly string[];
    readonly merkle_root: string;
    readonly valid: boolean;
  }[];
  readonly legacy_stream: {
    readonly tenant_id: string;
    readonly store_id: string;
    readonly empty_state_root: string;
    readonly events: readonly LegacyEventVector[];
    readonly commitments: readonly (RangeVector & {
      readonly event_count: number;
      readonly events_root: string;
      readonly proofs: readonly (ProofVector & {
        readonly true_directions: readonly boolean[];
        readonly verifies_by_index_rule: boolean;
        readonly verifies_with_leaf_count: boolean;
      })[];
    })[];
  };
}

interface RangeVector {
  readonly sequence_start: number;
  readonly sequence_end: number;
  readonly prev_state_root: string;
  readonly new_state_root: string;
}

interface ProofVector {
  readonly sequence_number: number;
  readonly leaf_index: number;
  readonly leaf_hash: string;
  readonly proof_path: readonly string[];
  readonly directions: readonly boolean[];
}

/** As on the wire, without the payload of a plain event. */
interface VesEnvelopeVector {
  readonly event_id: string;
  readonly tenant_id: string;
  readonly store_id: string;
  readonly source_agent_id: string;
  readonly agent_key_id: number;
  readonly payload_kind: 0 | 1;
  readonly payload_plain_hash: string;
  readonly payload_cipher_hash: string;
}

export interface VesEventVector {
  readonly name?: string;
  readonly signed_by?: string;
  readonly event: VesEnvelopeVector;
  readonly payload_json: string;
  readonly sequence_number: number;
  readonly event_signing_hash: string;
  readonly eventsig_preimage?: string;
  readonly leaf_hash: string;
  readonly receipt: { readonly receipt_hash: string; readonly sequencer_signature: string };
  readonly encryption?: {
    readonly salt: string;
    readonly payload_aad: string;
    readonly recipients_hash: string;
  };
}

interface LegacyEventVector {
  readonly event: {
    readonly event_id: string;
    readonly tenant_id: string;
    readonly store_id: string;
    readonly entity_type: string;
    readonly entity_id: string;
    readonly payload_hash: string;
    readonly source_agent: string;
  };
  readonly payload_json: string;
  readonly sequence_number: number;
  readonly leaf_hash: string;
}

interface KeyVector {
  readonly name: string;
  readonly seed: string;
  readonly public_key: string;
}
