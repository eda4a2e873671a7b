import type { NewLegacyEvent } from '../event-log.ts';
import { payloadColumn, sharedColumns, writeSharedColumns } from './new-event-row.ts';
import type { ElementType, ParameterArrays } from './parameter-arrays.ts';

/** The columns of a new row of `legacy_events` that do not come from its fence row. */
export const legacyColumns = {
  ...sharedColumns,
  payload_hash: 'bytea',
  signature: 'bytea',
  ...payloadColumn,
} as const satisfies Record<string, ElementType>;

export function writeLegacyEvent(
  to: ParameterArrays<typeof legacyColumns>['to'],
  storeNumber: number,
  sequenced: NewLegacyEvent,
): void {
  writeSharedColumns(to, storeNumber, sequenced);
  const { payloadHash, signature } = sequenced.event;
  to.payload_hash.next().bytea(payloadHash);
  if (signature === null) to.signature.nextNull();
  else to.signature.next().bytea(signature);
}
