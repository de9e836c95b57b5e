import { findBinaries } from './binaries.ts';

// `npm run control-plane`: everything that can take minutes happens here, before any test has a time limit.
try {
  const { etcd, kubeApiserver } = await findBinaries({ progress: (line) => console.log(line) });
  console.log(`Control plane ready: ${kubeApiserver}, ${etcd}`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
