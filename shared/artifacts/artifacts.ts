/**
 * Texts that a fix may apply, each pinned by its SHA-256: `strimzi/0.43.0` holds the CRDs of Strimzi 0.43.0 as multi-document YAML.
 * Hashes are hex, over the UTF-8 text. A text that does not have its recorded hash is never returned.
 * A text that ships with kubemend takes precedence: a store can add names beside it, and cannot replace it.
 */
export interface Artifacts {
  /** The text; throws when the name is unknown, when the text was changed, or when its hash is not the asked one. */
  get(name: string, sha256?: string): Promise<string>;
  /** Stores a text under a name (replacing what was there) and pins its hash. Throws ShippedError for a name that ships with kubemend. */
  put(name: string, text: string): Promise<{ sha256: string }>;
  /** The pinned hash and where the text came from, without reading it; undefined for an unknown name. */
  describe(name: string): Promise<{ sha256: string; source?: string } | undefined>;
  /** The known names that start with `prefix`, sorted; `''` for all. */
  list(prefix: string): Promise<string[]>;
}

/** The name belongs to a text that ships with kubemend, so no other text can have it. */
export class ShippedError extends Error {
  override name = 'ShippedError';

  constructor(artifact: string) {
    super(`Artifact ${artifact} ships with kubemend and cannot be replaced. To change it, change artifacts/ and build kubemend yourself.`);
  }
}

const nameRule = /^[A-Za-z0-9_][\w.+:@=-]*(\/[A-Za-z0-9_][\w.+:@=-]*)*$/;

/** Refuses a name that could leave the directory or bucket it is looked up in (`../x`, `/etc/x`, a hidden or empty part). */
export function checkName(name: string): void {
  if (!nameRule.test(name) || name.length > 200) {
    throw new Error(
      `"${name}" cannot name an artifact. Use parts of letters, digits and . _ - + : @ = with "/" between them, as in strimzi/0.43.0.`,
    );
  }
}

/** What the names of all backups of a remediation begin with: its function may write below it, and no other function may (infra/policies.ts). */
export const backupPrefix = (remediation: string): string => `backups/${remediation}/`;

/** The same for the backups of one of its incidents. */
export const incidentBackupPrefix = ({ remediation, id }: { remediation: string; id: string }): string =>
  `${backupPrefix(remediation)}${id}-`;
