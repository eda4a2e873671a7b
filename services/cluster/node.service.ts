import type { Context, ServiceSchema } from 'moleculer';
import { Refused } from '../../domain/errors.ts';
import { toBrokerError } from '../broker-errors.ts';
import { type DescribeParams, type NodeReport, reportedStoresMax } from './node-report.ts';

/** Every node has it, whatever else it does: `node.describe` is asked of a node by name, never routed. */
export function nodeService(describe: (params: DescribeParams) => NodeReport): ServiceSchema {
  return {
    name: 'node',
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
