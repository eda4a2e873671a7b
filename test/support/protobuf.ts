/** A field of a message: a number for integers, bytes for all else. */
export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** Takes a protobuf message apart; what the bytes of a field mean is for the caller to know. */
export function readFields(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('the message ends within a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const wireType = Number(tag & 7n);
    if (wireType === 0) fields.push({ number, value: varint() });
    else {
      const length = wireType === 2 ? Number(varint()) : wireType === 1 ? 8 : 4;
      fields.push({ number, value: bytes.subarray(at, (at += length)) });
    }
  }
  return fields;
}

export function messagesAt(bytes: Uint8Array, number: number): Uint8Array[] {
  return readFields(bytes).flatMap((field) =>
    field.number === number && typeof field.value !== 'bigint' ? [field.value] : [],
  );
}

export function textAt(bytes: Uint8Array, number: number): string {
  return Buffer.from(messagesAt(bytes, number)[0] ?? []).toString('utf8');
}

export function hexAt(bytes: Uint8Array, number: number): string {
  return Buffer.from(messagesAt(bytes, number)[0] ?? []).toString('hex');
}
