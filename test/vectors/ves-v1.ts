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
  readonly legacy_stream: {
    readonly tenant_id: string;
    readonly store_id: string;
    readonly empty_state_root: string;
    readonly events: readonly LegacyEventVector[];
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
