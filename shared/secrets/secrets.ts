/** Texts that nobody may see: cluster tokens, the Slack token. Never logged, never in an error, never in State. */
export interface Secrets {
  /** The current value. Throws SecretError when there is none or it cannot be read. */
  get(name: string): Promise<string>;
}

/** A secret could not be read; the message names it and never holds it. */
export class SecretError extends Error {
  override name = 'SecretError';
}

/** An ARN is a name too. */
const nameRule = /^[A-Za-z0-9_][\w.+=@:-]*(\/[A-Za-z0-9_][\w.+=@:-]*)*$/;

/** Refuses a name that could leave the folder it is looked up in. Throws SecretError. */
export function checkSecretName(name: string): void {
  if (!nameRule.test(name) || name.length > 200)
    throw new SecretError(`"${name}" cannot name a secret. Use parts of letters, digits and . _ - + = @ : with "/" between them.`);
}
