import { findPython } from './python-packages.ts';

// Installs what the tests need of PyPI before they run: a first test would seem to hang otherwise.
for (const name of ['moto', 'cfn-lint']) await findPython({ name, progress: (line) => console.error(`${name}: ${line}`) });
