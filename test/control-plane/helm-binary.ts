import type { FindOptions } from './binaries.ts';
import { findGoProgram } from './go-program.ts';

/**
 * Finds or builds Helm, of the version that helm/go.mod pins (about 3 minutes cold on 2 cores): the chart is rendered by the program that
 * people use. Throws a sentence that says what is missing.
 */
export const findHelm = (options: Omit<FindOptions, 'fetch'> = {}): Promise<string> =>
  findGoProgram({
    ...{ ...options, name: 'helm', package: 'helm.sh/helm/v4/cmd/helm', files: ['go.mod', 'go.sum'] },
    building: 'Building Helm with go build: once, about 3 minutes on 2 cores.',
    missing: (path, because) =>
      `No Helm at ${path}, and it could not be built: ${because} It needs Go (https://go.dev/dl) and a Go module proxy.`,
  });
