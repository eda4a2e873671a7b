/** What a Prometheus beside a local cluster needs to know of it. */
export interface ScrapeTargets {
  /** Names and addresses (`http://127.0.0.1:port`) of the nodes. */
  readonly nodes: readonly { readonly name: string; readonly url: string }[];
  /** METRICS_TOKEN, or an administrator's API key, which does not open `/metrics` while Postgres is away. */
  readonly credentials: string;
  readonly intervalMs: number;
  /** Paths of files with rules; none unless given. */
  readonly ruleFiles?: readonly string[];
}

/**
 * A prometheus.yml (JSON, which is YAML too) that scrapes each node as docker/prometheus/prometheus.yml does: job
 * `sequencer`, the token as `ApiKey`, the tier `production`. The label `instance` is the node's name.
 */
export function scrapeConfiguration({
  nodes,
  credentials,
  intervalMs,
  ruleFiles = [],
}: ScrapeTargets): string {
  const interval = `${intervalMs}ms`;
  return JSON.stringify({
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: ruleFiles,
    scrape_configs: [
      {
        job_name: 'sequencer',
        authorization: { type: 'ApiKey', credentials },
        static_configs: nodes.map(({ name, url }) => ({
          targets: [new URL(url).host],
          labels: { instance: name, tier: 'production' },
        })),
      },
    ],
  });
}
