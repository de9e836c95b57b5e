import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { checkSecretName, SecretError, type Secrets } from './secrets.ts';

/** Secrets in AWS Secrets Manager, by name below a prefix: with the prefix `kubemend/`, `slack/token` is the secret kubemend/slack/token. */
export class SecretsManagerSecrets implements Secrets {
  readonly #client: Pick<SecretsManagerClient, 'send'>;
  readonly #prefix: string;

  constructor({ client, prefix = '' }: { client: Pick<SecretsManagerClient, 'send'>; prefix?: string }) {
    this.#client = client;
    this.#prefix = prefix;
  }

  async get(name: string): Promise<string> {
    checkSecretName(name);
    const id = `${this.#prefix}${name}`;
    const { SecretString: text } = await this.#client.send(new GetSecretValueCommand({ SecretId: id })).catch((error: Error) => {
      // The service's own message names the secret or the right that is missing; it holds no value. Its cause could.
      throw new SecretError(`The secret ${name} cannot be read from Secrets Manager (${id}): ${error.name}: ${error.message}`);
    });
    if (!text) throw new SecretError(`The secret ${name} has no text in Secrets Manager (${id}): put its value there as a string.`);
    return text;
  }
}
