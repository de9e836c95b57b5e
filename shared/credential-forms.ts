/** What a field or text looks like that holds a credential. Made to find too much rather than too little: what is found becomes a mark, and a mark still compares. */

/** Fields that hold a credential by their whole name, letters and digits only. */
const NAMES = new Set(['credentials', 'auth', 'username', 'pass', 'dsn', 'connectionstring', 'htpasswd', 'dockercfg', 'dockerconfigjson']);
/** Endings of such names, also run together: `rootPassword`, `POSTGRES_PASSWORD`, `api-key`. */
const ENDINGS =
  /(password|passwd|passphrase|pwd|token|credential|accesskeyid|(api|access|secret|private|session|signing|encryption|master|shared|account|storage|auth|license|deploy|ssh|client|webhook)key)$/;
/** `bindPass`, `DB_PASS`, but not `bypass`. */
const PASS = /([a-z0-9]Pass|[_.-]pass|[_.-]PASS)$/;
/** These name a Secret or say what to do with one. */
const NO_SECRET = /^(create|copy|existing|pull|imagepull|tls|ca|cert|certificate|use)secret$/;

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** Whether a field of this name may hold the secret itself: `clientSecret`. As text only: `secret`, for a volume of that name says where it is. */
const namesSecret = (name: string, value: unknown): boolean =>
  plain(name).endsWith('secret') && !NO_SECRET.test(plain(name)) && (typeof value === 'string' || plain(name) !== 'secret');

/** Whether a field of this name holds a credential, when what it holds is no reference to one. */
export const namesCredential = (name: string, value: unknown): boolean => {
  const joined = plain(name);
  // It says for how long and whom; the token itself is made in the pod.
  if (joined === 'serviceaccounttoken' || typeof value === 'boolean') return false;
  return namesSecret(name, value) || NAMES.has(joined) || ENDINGS.test(joined) || PASS.test(name);
};

/** Text that is a credential by its form, wherever it is: PEM, JWT, `Authorization`, a URL's user, a Helm release or another archive in base64, keys of well-known services. */
export const FORMS = [
  /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(-----END [A-Z0-9 ]+-----|$)/g,
  /\beyJ[\w-]{5,}\.[\w-]{5,}(\.[\w-]*)?/g,
  /\b[Bb]earer [\w.~+/=-]{8,}/g,
  /\b[Bb]asic (?=[\w+/-]*(?:[\d=+/]|[a-z][A-Z]))[\w+/-]{6,}={0,2}/g,
  /(?<=:\/\/)[^\s/@:]*:[^\s/@]+(?=@)/g,
  // A user alone may be a token. Not what stands before the digest of an image, nor the user that every Git host has.
  /(?<=:\/\/)(?!git@)[\w.~%!$&'*+,;=-]+(?=@(?!sha256:))/g,
  /\b(H4sI|SDRzSU)[\w+/=]{20,}/g,
  /\b(AKIA|ASIA)[A-Z0-9]{8,}/g,
  /\b(gh[opsur]_|github_pat_|glpat-|xox[a-z]-|sk_live_|hvs\.)[\w-]{8,}/g,
];

/** Text that gives a credential to a name: `password=…`, `?token=…`, `"apiKey": "…"`, `password: …`. Only what follows the name is taken. */
export const ASSIGNMENTS = [
  /(?<=(?:passw(?:or)?d|passphrase|pwd|token|secret|credential|signature|api[_-]?key|access[_-]?key|private[_-]?key|[?&;](?:sig|key|auth|code))=)(?:"[^"]*"|'[^']*'|[^\s,;&"')\]}#]+)/gi,
  /(?<="[\w.-]*(?:passw(?:or)?d|passphrase|token|secret|api[_-]?key|access[_-]?key|private[_-]?key)"\s{0,9}:\s{0,9}")[^"]+/gi,
  /(?<=\b(?:passw(?:or)?d|passphrase):\s{0,9})[^\s,;"']+/gi,
];
