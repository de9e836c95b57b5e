import { join } from 'node:path';
import type { FindOptions } from './binaries.ts';
import { findGoProgram, isProgram } from './go-program.ts';

/**
 * Finds or builds the kubelet that answers exec and port-forward (11 s). It is a module of its own: an API server that was downloaded
 * needs no other Go source for it, and changing it rebuilds nothing else. Throws one error that names every way.
 */
export async function findKubelet(options: Omit<FindOptions, 'fetch'> = {}): Promise<string> {
  const { env = process.env } = options;
  const assets = env.KUBEBUILDER_ASSETS && join(env.KUBEBUILDER_ASSETS, 'kubemend-kubelet');
  if (assets && (await isProgram(assets))) return assets;
  return findGoProgram({
    ...{ ...options, name: 'kubelet', package: '.', files: ['go.mod', 'go.sum', 'main.go'] },
    building: 'Building the exec and port-forward kubelet with go build: once, a few seconds.',
    missing(path, because) {
      const ways = [
        `1. KUBEBUILDER_ASSETS: ${env.KUBEBUILDER_ASSETS ?? 'not set'}. A program kubemend-kubelet in that folder is taken.`,
        `2. Cache: ${path} is not there yet.`,
        `3. go build: ${because} It needs Go (https://go.dev/dl) and a Go module proxy.`,
      ];
      return `No kubelet for exec and port-forward. One of these three ways has to work:\n  ${ways.join('\n  ')}`;
    },
  });
}
