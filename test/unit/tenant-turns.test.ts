import { inTenantTurns } from '../../storage/postgres/tenant-turns.ts';

function turns(names: readonly string[]): string[] {
  const entries = names.map((name) => ({ name, batch: { claim: { tenantId: name.slice(0, 1) } } as never }));
  return inTenantTurns(entries).map(({ name }) => name);
}

test('batches go one of each tenant in turn, and those of one tenant in their order', () => {
  expect(turns(['a1', 'a2', 'a3', 'b1', 'a4', 'c1', 'b2'])).toEqual([
    'a1',
    'b1',
    'c1',
    'a2',
    'b2',
    'a3',
    'a4',
  ]);
  expect(turns(['a1', 'a2', 'a3'])).toEqual(['a1', 'a2', 'a3']);
  expect(turns([])).toEqual([]);
});
