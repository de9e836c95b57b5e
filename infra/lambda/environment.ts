import * as z from 'zod';
import type { Credentials } from '../../shared/kubernetes/eks-token.ts';

/** Everything a function takes from its surroundings; the one file here that reads `process.env`. */
export interface Environment {
  /** Name of the event bus. */
  bus: string;
  /** JSON, see clusters.ts. */
  clusters: string;
  /** The execution role's credentials, read when they are needed: Lambda sets them for the life of the environment. */
  credentials(): Credentials;
}

type Variables = Record<string, string | undefined>;

const settings = z.object({
  KUBEMEND_BUS: z.string().min(1),
  KUBEMEND_CLUSTERS: z.string().default(''),
});

const keys = z.object({
  AWS_ACCESS_KEY_ID: z.string().min(1),
  AWS_SECRET_ACCESS_KEY: z.string().min(1),
  AWS_SESSION_TOKEN: z.string().optional(),
});

/** Reads the environment that infra/functions.cjs sets. Throws an error that names the variables to set. */
export function readEnvironment(variables: Variables = process.env): Environment {
  const { KUBEMEND_BUS, KUBEMEND_CLUSTERS } = parse(settings, variables, 'serverless.yml sets it');
  return {
    bus: KUBEMEND_BUS,
    clusters: KUBEMEND_CLUSTERS,
    credentials() {
      const found = parse(keys, variables, 'Lambda sets it from the execution role');
      return { accessKeyId: found.AWS_ACCESS_KEY_ID, secretAccessKey: found.AWS_SECRET_ACCESS_KEY, sessionToken: found.AWS_SESSION_TOKEN };
    },
  };
}

function parse<T>(shape: z.ZodType<T>, variables: Variables, who: string): T {
  const result = shape.safeParse(variables);
  if (result.success) return result.data;
  const names = [...new Set(result.error.issues.map(({ path }) => path.join('.')))];
  throw new Error(`The environment lacks ${names.join(', ')}: ${who}.`);
}
