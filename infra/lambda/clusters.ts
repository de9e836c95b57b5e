import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { UnknownClusterError } from '../../shared/acting.ts';
import { type Credentials, eksToken } from '../../shared/kubernetes/eks-token.ts';
import { type Connection, Transport } from '../../shared/kubernetes/transport.ts';
import { checkSecretName, type Secrets } from '../../shared/secrets/secrets.ts';
import { identityOf } from '../kubernetes/rbac.ts';

/** What Secrets would refuse when it is asked. */
function isSecretName(name: string, context: z.RefinementCtx): void {
  try {
    checkSecretName(name);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
}

const BEGIN = '-----BEGIN CERTIFICATE-----';

/** One cluster; `ca` is PEM, or PEM in base64 as EKS shows it. The credential is the function's own IAM role, or a token in Secrets Manager (name or ARN) or in a file. */
const cluster = z
  .strictObject({
    server: z.url({ protocol: /^https$/ }),
    ca: z
      .string()
      .transform((text) => (text.startsWith(BEGIN) ? text : Buffer.from(text, 'base64').toString('utf8')))
      .refine((text) => text.startsWith(BEGIN), 'is no PEM certificate'),
    eks: z.strictObject({ cluster: z.string().min(1), region: z.string().min(1) }).optional(),
    tokenSecret: z.string().superRefine(isSecretName).optional(),
    tokenFile: z.string().min(1).optional(),
  })
  .refine(
    ({ eks, tokenSecret, tokenFile }) => [eks, tokenSecret, tokenFile].filter((one) => one !== undefined).length === 1,
    'needs exactly one of eks, tokenSecret and tokenFile',
  );

const clusters = z.record(z.string().min(1), cluster);
export type ClusterList = z.infer<typeof clusters>;

/** Reads KUBEMEND_CLUSTERS, which is packed as `clusters.json`: `{"<name>": {"server", "ca", "eks": {"cluster", "region"} | "tokenSecret" | "tokenFile"}}`; empty text is no cluster. Throws. */
export function parseClusters(text: string): ClusterList {
  let value: unknown;
  try {
    value = text.trim() === '' ? {} : JSON.parse(text);
  } catch (error) {
    throw new Error(`KUBEMEND_CLUSTERS is no JSON: ${(error as Error).message}`);
  }
  const result = clusters.safeParse(value);
  if (!result.success) throw new Error(`KUBEMEND_CLUSTERS is not as it must be: ${z.prettifyError(result.error)}`);
  return result.data;
}

interface ClustersOptions {
  list: ClusterList;
  credentials: () => Credentials;
  /** Reads what `tokenSecret` names; it keeps it for minutes, so that a rotated token is known soon. */
  secrets: Secrets;
  now: () => number;
}

/** A token is good for 15 minutes. */
const RENEW = 10 * 60_000;

/** The clusters this function may reach, and one kept connection to each. */
export class Clusters {
  readonly #options: ClustersOptions;
  readonly #transports = new Map<string, Transport>();

  constructor(options: ClustersOptions) {
    this.#options = options;
  }

  /** The connection of one remediation. Throws UnknownClusterError. */
  transport(name: string, remediation: string): Transport {
    const key = JSON.stringify([name, remediation]);
    const known = this.#transports.get(key) ?? new Transport(this.connection(name, remediation));
    this.#transports.set(key, known);
    return known;
  }

  /** Whom the API server sees. On EKS the role's access entry gives the function its own user name; behind a shared token it is impersonated. */
  connection(name: string, remediation: string): Connection {
    const { list, credentials, secrets, now } = this.#options;
    const found = Object.hasOwn(list, name) ? list[name] : undefined;
    if (!found) {
      const names = Object.keys(list).join(', ') || 'none';
      throw new UnknownClusterError(
        `This function was not given the cluster "${name}" (it has: ${names}). Add it to KUBEMEND_CLUSTERS and deploy.`,
      );
    }
    const { server, ca, eks, tokenSecret, tokenFile } = found;
    const common = { server, ca, userAgent: `kubemend/${remediation}` };
    if (eks) return { ...common, token: renewing(() => eksToken(eks.cluster, eks.region, credentials(), now()), now) };
    const token = tokenSecret === undefined ? async () => (await readFile(tokenFile ?? '', 'utf8')).trim() : () => secrets.get(tokenSecret);
    return { ...common, token, impersonate: identityOf(remediation) };
  }

  close(): void {
    for (const transport of this.#transports.values()) transport.close();
  }
}

function renewing(make: () => string, now: () => number): () => Promise<string> {
  let kept: { token: string; until: number } | undefined;
  return async () => {
    if (!kept || now() >= kept.until) kept = { token: make(), until: now() + RENEW };
    return kept.token;
  };
}
