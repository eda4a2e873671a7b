import type { Micros, TenantId, Uuid } from '../types.ts';

export const schemaStatuses = ['active', 'deprecated', 'archived'] as const;
/** Only active versions judge payloads. */
export type SchemaStatus = (typeof schemaStatuses)[number];

export const compatibilities = ['backward', 'forward', 'full', 'none'] as const;
/**
 * What a version promises about the one before it: `backward`, that it accepts every payload which that one accepts;
 * `forward`, the other way round; `full`, both.
 */
export type Compatibility = (typeof compatibilities)[number];

/** The payloads of one event type of one tenant. */
export interface SchemaSubject {
  readonly tenantId: TenantId;
  readonly eventType: string;
}

/** A schema that is to be registered as this version, from 1. What it says never changes. */
export interface NewSchema extends SchemaSubject {
  readonly version: number;
  /** The schema's compact JSON text, with members and numbers as they were sent. */
  readonly json: string;
  readonly description: string | null;
  readonly compatibility: Compatibility;
  /** The agent that the registering credential is bound to; null when it is not bound. */
  readonly createdBy: Uuid | null;
}

export interface RegisteredSchema extends NewSchema {
  readonly id: Uuid;
  readonly status: SchemaStatus;
  readonly createdAt: Micros;
  readonly updatedAt: Micros;
}

export const schemaBytesMax = 102_400;
export const descriptionBytesMax = 2_048;

/** White space outside of strings left out. @param json well-formed JSON */
export function compactJson(json: string): string {
  return json.replaceAll(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, '$1');
}
