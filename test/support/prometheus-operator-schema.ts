/**
 * JSON Schemas of the two kinds of the Prometheus operator that docker/kubernetes/ has, written after its reference
 * (https://prometheus-operator.dev/docs/api-reference/api/), since kubernetes-models has Kubernetes' own kinds alone. They know only
 * the fields that are in use, so that a slip of the pen is no field.
 */
const name = { type: 'string', pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$', maxLength: 253 };
const labels = { type: 'object', additionalProperties: { type: 'string', maxLength: 63 } };
/** As Prometheus writes them. */
const duration = {
  type: 'string',
  pattern: '^(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?$',
  minLength: 2,
};
const labelName = { type: 'string', pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' };
const metadata = exactly({ name, namespace: name, labels });

export const serviceMonitorSchema = exactly({
  apiVersion: { const: 'monitoring.coreos.com/v1' },
  kind: { const: 'ServiceMonitor' },
  metadata,
  spec: exactly({
    jobLabel: { type: 'string', minLength: 1 },
    selector: exactly({ matchLabels: labels }),
    endpoints: {
      type: 'array',
      minItems: 1,
      items: exactly({
        port: { type: 'string', minLength: 1 },
        path: { type: 'string', pattern: '^/' },
        interval: duration,
        scrapeTimeout: duration,
        authorization: exactly({
          type: { type: 'string', not: { const: 'Basic' } },
          credentials: exactly({ name, key: { type: 'string', minLength: 1 } }),
        }),
        relabelings: {
          type: 'array',
          items: {
            type: 'object',
            required: ['targetLabel'],
            additionalProperties: false,
            properties: {
              sourceLabels: { type: 'array', items: labelName },
              targetLabel: labelName,
              replacement: { type: 'string' },
            },
          },
        },
      }),
    },
  }),
});

export const prometheusRuleSchema = exactly({
  apiVersion: { const: 'monitoring.coreos.com/v1' },
  kind: { const: 'PrometheusRule' },
  metadata,
  spec: exactly({
    groups: {
      type: 'array',
      minItems: 1,
      items: exactly({
        name: { type: 'string', minLength: 1 },
        rules: {
          type: 'array',
          minItems: 1,
          items: {
            type: 'object',
            required: ['expr'],
            additionalProperties: false,
            oneOf: [{ required: ['alert'] }, { required: ['record'] }],
            properties: {
              alert: { type: 'string' },
              record: { type: 'string', pattern: '^[a-zA-Z_:][a-zA-Z0-9_:]*$' },
              expr: { type: 'string', minLength: 1 },
              for: duration,
              labels,
              annotations: { type: 'object', additionalProperties: { type: 'string' } },
            },
          },
        },
      }),
    },
  }),
});

/** An object that has all of these properties and no other. */
function exactly(properties: Readonly<Record<string, object>>): object {
  return { type: 'object', required: Object.keys(properties), additionalProperties: false, properties };
}
