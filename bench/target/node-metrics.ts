/** What a node says of itself at `/metrics`. */
export class NodeMetrics {
  private readonly values: ReadonlyMap<string, number>;

  private constructor(values: ReadonlyMap<string, number>) {
    this.values = values;
  }

  /** @throws Error when the node does not answer with 200 */
  static async scrape({
    url,
    apiKey,
  }: {
    readonly url: string;
    readonly apiKey: string;
  }): Promise<NodeMetrics> {
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: `ApiKey ${apiKey}` } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`/metrics answers ${answer.status}: ${text.slice(0, 200)}`);
    const lines = [...text.matchAll(/^([a-z_]\w*(?:\{[^}]*\})?) (\S+)$/gm)];
    return new NodeMetrics(new Map(lines.map(([, series, value]) => [series!, Number(value)])));
  }

  /** @param series such as `sequencer_cache_hits{cache="proofs"}`; 0 when the node has none of it */
  value(series: string): number {
    return this.values.get(series) ?? 0;
  }

  /** The values of one label, for every series of a name: those of `cache` in `sequencer_cache_hits`. */
  byLabel(name: string, label: string): Map<string, number> {
    const pattern = new RegExp(`^${name}\\{(?:.*,)?${label}="([^"]*)"`);
    const found = new Map<string, number>();
    for (const [series, value] of this.values) {
      const text = pattern.exec(series)?.[1];
      if (text !== undefined) found.set(text, (found.get(text) ?? 0) + value);
    }
    return found;
  }
}
