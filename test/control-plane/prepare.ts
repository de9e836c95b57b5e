import { findZookeeper } from '../scenarios/zookeeper/jars.ts';
import { findBinaries } from './binaries.ts';
import { findHelm } from './helm-binary.ts';
import { findKubelet } from './kubelet-binary.ts';

// `npm run control-plane`: everything that can take minutes happens here, before any test has a time limit.
try {
  const { etcd, kubeApiserver } = await findBinaries({ progress: (line) => console.log(line) });
  await findZookeeper((line) => console.log(line));
  const kubelet = await findKubelet({ progress: (line) => console.log(line) });
  const helm = await findHelm({ progress: (line) => console.log(line) });
  console.log(`Control plane ready: ${kubeApiserver}, ${etcd}, ${kubelet}, ${helm}`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
