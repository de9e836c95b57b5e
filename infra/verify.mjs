// `npm test`: everything that must hold, in order; the last line is `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'kubemend-test-'));
const report = join(folder, 'jest.json');
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
const steps = [
  ['Biome', 'node_modules/.bin/biome', ['check', '.', '--max-diagnostics=50']],
  ['TypeScript', 'node_modules/.bin/tsc', ['-p', '.']],
  // Prints the size of each function and how long it takes to import; fails above 800 KB.
  ['Bundles', process.execPath, ['infra/build.mjs']],
  ['control plane', process.execPath, ['test/control-plane/prepare.ts']],
  ['AWS emulator', process.execPath, ['test/aws/prepare.ts']],
  ['Jest', process.execPath, [...jest, '--maxWorkers=2', '--json', `--outputFile=${report}`, ...process.argv.slice(2)]],
];

let passed = 0;
let failed = 0;
for (const [name, command, args] of steps) {
  console.error(`\n== ${name}`);
  const began = Date.now();
  const { status } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  console.error(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${Math.round((Date.now() - began) / 1000)} s`);
  if (name === 'Jest') {
    const counts = readReport();
    passed += counts.passed;
    failed += counts.failed + (status !== 0 && counts.failed === 0 ? 1 : 0);
  } else if (status === 0) passed += 1;
  else failed += 1;
}
rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function readReport() {
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
