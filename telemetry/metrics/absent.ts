/** Names of the reference that no node exports, since there is nothing that they could count; with the reason. */
export const absentNames: readonly { readonly names: readonly string[]; readonly reason: string }[] = [
  {
    names: [
      'sequencer_grpc_requests_total',
      'sequencer_grpc_request_latency_seconds',
      'sequencer_grpc_stream_messages',
    ],
    reason: 'there is no gRPC',
  },
  {
    names: [
      'sequencer_anchor_batches_submitted',
      'sequencer_anchor_batches_confirmed',
      'sequencer_anchor_gas_used',
      'sequencer_anchor_retries',
      'sequencer_anchor_latency_seconds',
    ],
    reason:
      'a node submits nothing to a chain: whoever does tells it, and `sequencer_commitments_anchored` counts that',
  },
];
