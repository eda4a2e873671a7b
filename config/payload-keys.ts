/**
 * A key of 32 bytes as hex, with or without 0x, or as base64 of either alphabet.
 * @returns undefined when the text is none of these, or says one byte again and again
 */
export function readPayloadKey(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  const hex = /^(?:0x)?([0-9a-f]{64})$/i.exec(trimmed)?.[1];
  const key = hex === undefined ? readBase64(trimmed) : new Uint8Array(Buffer.from(hex, 'hex'));
  return key === undefined || key.every((byte) => byte === key[0]) ? undefined : key;
}

/** A comma list of such keys, at least one, none twice. */
export function readPayloadKeys(text: string): readonly Uint8Array[] | undefined {
  const keys = text.split(',').map(readPayloadKey);
  if (!keys.every((key) => key !== undefined)) return undefined;
  const distinct = new Set(keys.map((key) => Buffer.from(key).toString('hex')));
  return distinct.size === keys.length ? Object.freeze(keys) : undefined;
}

/** A JSON object from tenants' ids to their keys, each a comma list or an array of texts. */
export function readPayloadKeysByTenant(
  text: string,
): ReadonlyMap<string, readonly Uint8Array[]> | undefined {
  const entries = entriesOf(text);
  if (entries === undefined) return undefined;
  const found = new Map<string, readonly Uint8Array[]>();
  for (const [tenant, given] of entries) {
    const tenantId = tenant.toLowerCase();
    const list: unknown = Array.isArray(given) ? given.join() : given;
    const keys = typeof list === 'string' ? readPayloadKeys(list) : undefined;
    if (!uuid.test(tenantId) || keys === undefined || found.has(tenantId)) return undefined;
    found.set(tenantId, keys);
  }
  return found;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function entriesOf(text: string): [string, unknown][] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? Object.entries(parsed) : undefined;
  } catch {
    return undefined;
  }
}

function readBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/_-]{42}[AEIMQUYcgkosw048]=?$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, 'base64'));
}
