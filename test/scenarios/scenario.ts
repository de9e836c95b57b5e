import type { Pins } from '../../infra/kubernetes/rbac.ts';
import type { Connection } from '../../shared/kubernetes/transport.ts';
import type { Admin } from '../control-plane/admin.ts';
import type { Kubelet } from '../control-plane/kubelet.ts';

/** A failure that can be made on a disposable control plane: one file in this folder, named as the sandbox names it. */
export interface Scenario {
  /** What goes wrong, in one sentence. */
  title: string;
  /** The remediation that mends it. */
  remediation: string;
  /** Which writes in the API server's audit log are the failure at work: the rate before and after counts these. */
  isSymptom(event: AuditLine): boolean;
  /** Wants a node that answers exec and port-forward. */
  kubelet?: true;
  /** The pods that pinned rights are for. */
  pins?: Pins;
  /** Grants rights in these namespaces only, where the kind has any. Default: in all. */
  namespaces?: string[];
  /** Seeds the cluster and starts the failing operator. */
  start(cluster: {
    admin: Admin;
    connection: Connection;
    progress(line: string): void;
    kubelet?: Kubelet;
  }): Promise<{ stop(): Promise<void> }>;
}

/** The fields of an audit event that scenarios and tests look at. */
export interface AuditLine {
  verb: string;
  requestURI: string;
  user: { username: string };
  userAgent?: string;
  objectRef?: { apiGroup?: string; resource?: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code?: number };
  stageTimestamp: string;
}
