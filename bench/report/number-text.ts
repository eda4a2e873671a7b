/** A number without its fraction, with a comma at each thousand. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Short times, where the first two digits say enough. */
export function short(value: number): string {
  return value < 10 ? value.toFixed(1) : whole(value);
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** How many times as much: `4.2 ×`. */
export function times(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(1) : whole(ratio)} ×`;
}
