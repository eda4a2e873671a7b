import type { Context, ServiceSchema } from 'moleculer';
import { Refused } from '../../domain/errors.ts';
import { toBrokerError } from '../broker-errors.ts';
import { type DescribeParams, type NodeReport, reportedStoresMax } from './node-report.ts';

/** Sent to all nodes when a lease was given up, so that none need wait until it looks; nothing depends on it. */
export const leaseReleased = 'lease.released';

export interface NodeServiceDependencies {
  readonly describe: (params: DescribeParams) => NodeReport;
  readonly onLeaseReleased: () => void;
}

/** Every node has it, whatever else it does: `node.describe` is asked of a node by name, never routed. */
export function nodeService({ describe, onLeaseReleased }: NodeServiceDependencies): ServiceSchema {
  return {
    name: 'node',
    events: { [leaseReleased]: () => onLeaseReleased() },
    actions: {
      describe: {
        handler: (ctx: Context) => {
          const { storesMax } = ctx.params as Partial<DescribeParams>;
          if (!Number.isInteger(storesMax) || storesMax! < 0 || storesMax! > reportedStoresMax) {
            throw toBrokerError(
              new Refused(
                'INVALID_FIELD_VALUE',
                `storesMax is ${JSON.stringify(storesMax)}; accepted is an integer from 0 to ${reportedStoresMax}`,
              ),
            );
          }
          return describe({ storesMax: storesMax! });
        },
      },
    },
  };
}
