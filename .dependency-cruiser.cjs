/**
 * Imports point down: gateway -> services -> actors -> storage -> domain. Only bin/ wires folders together, and
 * only bin/ and moleculer.config.ts read config/.
 */
const layers = ['domain', 'storage', 'actors', 'services'];

/** A folder may import itself and every layer below it, never one above. */
const upward = layers.map((layer, level) => ({
  name: `${layer}-imports-only-downward`,
  severity: 'error',
  comment: `${layer}/ may import only ${layers.slice(0, level + 1).join(', ')} (and telemetry/ names, outside domain)`,
  from: { path: `^${layer}/` },
  to: {
    path: '^(actors|bench|bin|config|domain|moleculer\\.config|services|storage|telemetry|test)',
    pathNot: `^(${[...layers.slice(0, level + 1), ...(level > 0 ? ['telemetry'] : [])].join('|')})/`,
  },
}));

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'domain-is-pure',
      severity: 'error',
      comment: 'domain/ runs anywhere: it may use @noble/hashes and @noble/curves and nothing of Node',
      from: { path: '^domain/' },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional'],
        pathNot: 'node_modules/@noble/(hashes|curves)/',
      },
    },
    {
      name: 'nobody-imports-the-gateway',
      severity: 'error',
      comment: 'the gateway is one more caller of the services',
      from: { pathNot: '^(services/gateway/|bin/|test/|bench/)' },
      to: { path: '^services/gateway/' },
    },
    {
      name: 'telemetry-is-a-leaf',
      severity: 'error',
      comment: 'telemetry/ defines metrics and log fields and imports nothing of the project',
      from: { path: '^telemetry/' },
      to: { path: '^(actors|bin|config|domain|services|storage|test)/' },
    },
    {
      name: 'config-is-a-leaf',
      severity: 'error',
      comment: 'config/ reads the environment and imports nothing of the project',
      from: { path: '^config/' },
      to: { path: '^(actors|bin|domain|services|storage|telemetry|test)/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans-in-node-modules',
      severity: 'error',
      comment: 'a package that is imported is in package.json; what scripts of k6 import is part of k6',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'], pathNot: '^k6(/|$)' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
