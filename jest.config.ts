/** Tests run the TypeScript sources as they are: Node strips the types, so no transpiler stands between the test and the code. */
export default {
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'mjs', 'js', 'json'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.serverless'],
  transform: { '\\.ts$': '<rootDir>/test/strip-types.mjs' },
  // A deadline, not a measure: a slow machine with two cores and other work on it takes longer than anybody expects.
  testTimeout: 90_000,
};
