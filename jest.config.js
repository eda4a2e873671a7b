/** Jest runs the sources as they are: ESM, types stripped, no build. */
const sources = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript' },
          target: 'es2024',
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
};

/** Levels that need no database run without the start of one. */
const pureLevels = '(simulation|unit|vectors)';

export default {
  projects: [
    { ...sources, displayName: 'pure', testMatch: [`<rootDir>/test/@${pureLevels}/**/*.test.ts`] },
    {
      ...sources,
      displayName: 'postgres',
      testMatch: [`<rootDir>/test/!${pureLevels}/**/*.test.ts`],
      globalSetup: '<rootDir>/test/support/global-setup.ts',
      globalTeardown: '<rootDir>/test/support/global-teardown.ts',
    },
  ],
  testTimeout: 60_000,
  maxWorkers: 2,
};
