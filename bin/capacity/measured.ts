/** A measured figure and where it was measured, so that a plan can be traced to a run that anyone can repeat. */
export interface Measured {
  readonly value: number;
  readonly unit: string;
  readonly source: string;
}

const footprint = 'npm run bench:footprint, on commit 7c27d40';
const ingest = 'npm run bench:ingest, commit 822ef0c';
const crypto = 'npm run bench:crypto, commit 619c768';
const layout = 'docs/adr/0001-storage-layout.md';
const wholePages = 'docs/adr/0018-whole-pages-in-the-wal.md';
const measured = (value: number, unit: string, source: string): Measured => ({ value, unit, source });

/** The payload sizes at which bytes were measured; between and beyond them bytes grow along a line. */
export const payloadPoints = { small: 155, large: 1_072 };

/** Bytes an event at both sizes. */
export interface BytesOfEvent {
  readonly table: readonly [small: Measured, large: Measured];
  readonly wal: readonly [small: Measured, large: Measured];
  readonly request: readonly [small: Measured, large: Measured];
}

const bytes = (small: number, large: number): readonly [Measured, Measured] => [
  measured(small, `bytes at ${payloadPoints.small}`, footprint),
  measured(large, `bytes at ${payloadPoints.large}`, footprint),
];

/** Everything that `capacity` computes with, in one place. All rates are of a machine whose two cores all parts shared. */
export const measuredFigures = {
  unsigned: { table: bytes(557, 1_501), wal: bytes(868, 1_788), request: bytes(438, 1_495) },
  signed: { table: bytes(778, 1_780), wal: bytes(1_115, 1_986), request: bytes(888, 1_805) },
  /** In entity_counts, where each event is of an entity of its own: the most that it can be. */
  entityCountBytes: measured(212, 'bytes an entity, at most', footprint),
  /** Of the indexes of event ids and of entities, which are in no order that events come in. */
  indexEntriesOfPage: measured(150, 'events of which a page of an index holds the entries', wholePages),
  wholePageBytes: measured(6_000, 'bytes of WAL for a page of an index that is written whole', wholePages),
  commitmentBytes: measured(43, 'bytes an event, in commitments of 1,000', footprint),
  unsignedPerNode: measured(9_099, 'events a second, 500 a request on 10 connections', ingest),
  signedPerNode: measured(3_674, 'events a second, 100 a request on 10 connections', crypto),
  unsignedPerStream: measured(9_099, 'events a second on one stream', ingest),
  postgresMicros: measured(78, 'µs of processor an event, 5,000,000 events before', layout),
  liveStoreBytes: measured(1_661, 'bytes of heap, 2,000 stores live', footprint),
  nodeMegabytesBusy: measured(490, 'MB resident, the most while ingesting', ingest),
} as const;

/** Bytes at a payload size, along the line through both points. */
export function bytesAt([small, large]: readonly [Measured, Measured], payloadBytes: number): number {
  const slope = (large.value - small.value) / (payloadPoints.large - payloadPoints.small);
  return Math.max(0, small.value + slope * (payloadBytes - payloadPoints.small));
}
