import type { Definition } from './definition.ts';
import { accessDefinitions } from './definitions/access.ts';
import { clusterDefinitions } from './definitions/cluster.ts';
import { commitmentDefinitions } from './definitions/commitments.ts';
import { databaseDefinitions } from './definitions/database.ts';
import { encryptionDefinitions } from './definitions/encryption.ts';
import { leadershipDefinitions } from './definitions/leadership.ts';
import { limitDefinitions } from './definitions/limits.ts';
import { networkDefinitions } from './definitions/network.ts';
import { nodeDefinitions, sequencingDefinitions } from './definitions/node.ts';
import { projectionDefinitions } from './definitions/projections.ts';
import { resilienceDefinitions } from './definitions/resilience.ts';
import { schemaDefinitions } from './definitions/schemas.ts';
import { serverDefinitions } from './definitions/server.ts';
import { telemetryDefinitions } from './definitions/telemetry.ts';
import { vesDefinitions } from './definitions/ves.ts';

/** Every setting, by property. */
export const definitions = {
  ...serverDefinitions,
  ...telemetryDefinitions,
  ...networkDefinitions,
  ...limitDefinitions,
  ...accessDefinitions,
  ...databaseDefinitions,
  ...nodeDefinitions,
  ...clusterDefinitions,
  ...leadershipDefinitions,
  ...resilienceDefinitions,
  ...sequencingDefinitions,
  ...vesDefinitions,
  ...schemaDefinitions,
  ...commitmentDefinitions,
  ...projectionDefinitions,
  ...encryptionDefinitions,
};

type Definitions = typeof definitions;
export type SettingName = keyof Definitions;

/** The value of every setting, by property. */
export type SettingValues = {
  readonly [Name in SettingName]: Definitions[Name] extends Definition<infer T> ? T : never;
};

/** The settings in the order and under the headings of the documentation. */
export const definitionGroups: readonly {
  readonly title: string;
  readonly definitions: Readonly<Record<string, Definition<unknown>>>;
}[] = [
  { title: 'Server', definitions: serverDefinitions },
  { title: 'Logs and traces', definitions: telemetryDefinitions },
  { title: 'Network', definitions: networkDefinitions },
  { title: 'Limits', definitions: limitDefinitions },
  { title: 'Access', definitions: accessDefinitions },
  { title: 'Database', definitions: databaseDefinitions },
  { title: 'Node', definitions: nodeDefinitions },
  { title: 'Cluster', definitions: clusterDefinitions },
  { title: 'Leader', definitions: leadershipDefinitions },
  { title: 'Circuits and retries', definitions: resilienceDefinitions },
  { title: 'Sequencing', definitions: sequencingDefinitions },
  { title: 'Signed events', definitions: vesDefinitions },
  { title: 'Schemas', definitions: schemaDefinitions },
  { title: 'Commitments', definitions: commitmentDefinitions },
  { title: 'Projections', definitions: projectionDefinitions },
  { title: 'Encryption at rest', definitions: encryptionDefinitions },
];
