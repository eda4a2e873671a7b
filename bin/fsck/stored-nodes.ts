import { toHex } from '../../domain/bytes.ts';
import type { Hash, Uuid } from '../../domain/types.ts';
import { nodesPerChunk } from '../../storage/commitment-log.ts';
import type { LogScan } from '../../storage/postgres/log-scan.ts';
import type { Fault } from './finding.ts';

/** Compares the nodes that are kept of a commitment's tree with those that they should be, chunk by chunk. */
export class StoredNodes {
  private readonly batchId: Uuid;
  private readonly scan: LogScan;
  private expected: Hash[] = [];
  private chunk = 0;
  private fault: Fault | null = null;

  constructor(batchId: Uuid, scan: LogScan) {
    this.batchId = batchId;
    this.scan = scan;
  }

  /** Takes the next node in the order in which they are kept. */
  expect(node: Hash): void {
    this.expected.push(node);
  }

  /** Compares the chunks that are full by now. */
  async compare(): Promise<void> {
    while (this.expected.length >= nodesPerChunk)
      await this.compareChunk(this.expected.splice(0, nodesPerChunk));
  }

  /**
   * Compares the rest.
   * @param chunkCount how many chunks there should be
   * @returns the first fault
   */
  async finish(chunkCount: number): Promise<readonly Fault[]> {
    await this.compare();
    if (this.expected.length > 0) await this.compareChunk(this.expected.splice(0));
    const found = await this.scan.chunkCount(this.batchId);
    if (found !== chunkCount && this.fault === null) {
      this.fault = {
        column: 'commitment_nodes.chunk',
        expected: `${chunkCount} chunks`,
        found: `${found}`,
        detail: `of the commitment ${this.batchId}`,
      };
    }
    return this.fault === null ? [] : [this.fault];
  }

  private async compareChunk(expected: readonly Hash[]): Promise<void> {
    const nodes = await this.scan.nodes(this.batchId, this.chunk);
    this.fault ??= this.chunkFault(expected, nodes ?? new Uint8Array());
    this.chunk++;
  }

  private chunkFault(expected: readonly Hash[], nodes: Uint8Array): Fault | null {
    const { batchId, chunk } = this;
    for (const [index, node] of expected.entries()) {
      const found = toHex(nodes.subarray(index * 32, index * 32 + 32));
      if (found === toHex(node)) continue;
      const detail = `node ${index} of chunk ${chunk} of the commitment ${batchId}; the leaves say what it should be`;
      return { column: 'commitment_nodes.nodes', expected: toHex(node), found: found || 'nothing', detail };
    }
    if (nodes.length <= expected.length * 32) return null;
    return {
      column: 'commitment_nodes.nodes',
      expected: `${expected.length} nodes`,
      found: `${nodes.length / 32}`,
      detail: `in chunk ${chunk} of the commitment ${batchId}`,
    };
  }
}
