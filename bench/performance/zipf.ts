/**
 * Picks one of `count` things, from 0, where the nth is picked as often as the first divided by n: as people ask for things,
 * a few of which are in everyone's mind (Zipf's law).
 */
export function openZipf(count: number, random: () => number = Math.random): () => number {
  let sum = 0;
  const upTo = Float64Array.from({ length: count }, (_, index) => (sum += 1 / (index + 1)));
  return () => {
    const at = random() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upTo[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
