import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { cached } from '../../shared/secrets/cached.ts';
import type { Secrets } from '../../shared/secrets/secrets.ts';
import { SecretsManagerSecrets } from '../../shared/secrets/secrets-manager.ts';
import { CLIENT } from './aws-clients.ts';

/** The secrets that a function's role may read, kept for minutes. */
export const ownSecrets = (now: () => number): Secrets =>
  cached(new SecretsManagerSecrets({ client: new SecretsManagerClient(CLIENT) }), now);
