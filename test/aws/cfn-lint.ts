import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findPython } from './python-packages.ts';

/** osls adds a DependsOn on each role that the template enforces anyway. */
const OF_OSLS = 'W3005';

/** What cfn-lint (PyPI, pinned) says about a template file, warnings too; empty when it has nothing to say. */
export async function cfnLint(template: string): Promise<string> {
  const python = await findPython({ name: 'cfn-lint', progress: (line) => void process.stderr.write(`cfn-lint: ${line}\n`) });
  const args = [
    '-c',
    'from cfnlint.runner import main; main()',
    '--regions',
    'eu-west-1',
    '--ignore-checks',
    OF_OSLS,
    '--format',
    'parseable',
    '--template',
    template,
  ];
  // It ends with the kinds of what it found as bits; what it found stands in its output.
  return promisify(execFile)(python, args).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  );
}
