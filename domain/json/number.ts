/**
 * The two canonical texts of JSON: `jcs` is RFC 8785, which VES hashes; `legacy` keeps the kind of each number and sorts
 * names by their UTF-8 bytes (ves-format 2.2 and 2.3).
 */
export type TextForm = 'legacy' | 'jcs';

/**
 * The canonical text of a number.
 * @param token one that JSON's grammar allows
 * @param isInteger whether the token has neither a point nor an exponent
 * @returns null when the number is beyond the range of a double
 */
export function canonicalNumber(token: string, isInteger: boolean, form: TextForm): string | null {
  const value = Number(token);
  if (!Number.isFinite(value)) return null;
  // ECMAScript's own number text is what RFC 8785 prescribes; it writes -0 as 0.
  if (form === 'jcs') return String(value);
  return isInteger && fits64Bits(token) ? token : legacyDouble(value);
}

/** Whether a token of digits is an u64, or with a minus an i64 other than -0. */
function fits64Bits(token: string): boolean {
  const [bound, lengthMax] = token.startsWith('-') ? [i64Min, i64Min.length] : [u64Max, u64Max.length];
  // Digits of equal number compare as text does, and there are no leading zeros.
  return token !== '-0' && (token.length < lengthMax || (token.length === lengthMax && token <= bound));
}

const u64Max = '18446744073709551615';
const i64Min = '-9223372036854775808';

/** The fewest digits that read back as the same double, laid out so that it is always seen to be one. */
function legacyDouble(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [significand = '', exponent = ''] = Math.abs(value).toExponential().split('e');
  const digits = significand.replace('.', '');
  const sign = value < 0 ? '-' : '';
  // The value is 0.d₁d₂… × 10^point.
  const point = Number(exponent) + 1;
  if (point > 16 || point <= -5) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits.slice(0, 1)}${fraction}e${point - 1}`;
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point < digits.length) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  return `${sign}${digits.padEnd(point, '0')}.0`;
}
