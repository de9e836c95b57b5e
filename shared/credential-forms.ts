/** What a field or text looks like that holds a credential. Made to find too much rather than too little: what is found becomes a mark, and a mark still compares. */

/** Fields that hold a credential by their whole name, letters and digits only. */
const NAMES = new Set([
  ...['credentials', 'auth', 'username', 'pass', 'dsn', 'connectionstring', 'htpasswd', 'dockercfg', 'dockerconfigjson', 'psk', 'passcode'],
  ...['authorization', 'proxyauthorization', 'cookie', 'setcookie', 'requirepass', 'masterauth', 'secretkeybase', 'sharedaccesssignature'],
]);
/** Endings of such names, also run together: `rootPassword`, `POSTGRES_PASSWORD`, `api-key`, `client-key-data`. */
const ENDINGS =
  /(password|passwd|passphrase|pwd|token|credential|accesskeyid|(api|access|secret|private|session|signing|encryption|master|shared|account|storage|auth|license|deploy|ssh|client|webhook)key(data)?|tokendata)$/;
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

/**
 * Text that is a credential by its form, wherever it is. Every repetition is bounded, or can begin only where the run of its characters does, so the time
 * is linear in the text (a test measures it). With a group, that is the credential.
 */
export const FORMS = [
  // PEM; without an end, all the rest.
  /-----BEGIN [A-Z0-9 ]{1,40}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,40}-----|$)/g,
  /---- BEGIN SSH2 [A-Z ]{1,40} ----[\s\S]*?(?:---- END SSH2 [A-Z ]{1,40} ----|$)/g,
  /\bPuTTY-User-Key-File-\d[\s\S]*/g,
  // A JWT, a JWE.
  /(?<![\w-])eyJ[\w-]{5,}(?:\.[\w-]{0,8192}){1,4}/g,
  // Not `basic authentication`, nor `bearer of`.
  /\b(?:[Bb]earer|BEARER) (?=[\w.~+/=-]{0,512}(?:\d|[a-z][A-Z]))[\w.~+/=-]{8,}/g,
  /\b(?:[Bb]asic|BASIC) (?=[\w+/-]{0,512}(?:[\d=+/]|[a-z][A-Z]))[\w+/-]{6,}={0,2}/g,
  // Helm releases and other archives in base64.
  /\b(?:H4sI|SDRzSU)[\w+/=]{20,}/g,
  // Keys of well-known services that need no name beside them.
  /\b(?:AKIA|ASIA)[A-Z0-9]{8,128}/g,
  /\b(?:gh[opsur]_|github_pat_|gl(?:pat|rt|dt|soat|cbt|ptt|ft|imt|agent)-|xox[a-z]-|xapp-|[srp]k_(?:live|test)_|whsec_|hv[sbr]\.|npm_|pypi-|dckr_pat_|do[opr]_v1_|shp(?:at|ca|pa|ss)_|lin_api_|hf_|glsa_|glc_|dapi|sk-|NRAK-|ATATT|GOCSPX-|AIza|ya29\.|figd_|sntrys_|AGE-SECRET-KEY-1|SG\.)[\w-]{8,512}(?:\.[\w-]{1,256}){0,4}/g,
  // Password hashes: crypt, Argon2, SCRAM, LDAP.
  /\$(?:2[abxy]|apr1|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]{0,20}|[156y]|gy)\$[\w./$=,+-]{8,512}/g,
  /\bSCRAM-SHA-\d{1,3}\$[\w+/:=$]{8,512}/g,
  /\{S?(?:SHA|MD5|SHA256|SHA512|CRYPT)\}[\w+/=$.]{8,512}/g,
  // Addresses whose path is the credential.
  /(?<=https:\/\/(?:hooks\.slack(?:-gov)?\.com|(?:ptb\.|canary\.)?discord(?:app)?\.com\/api)\/)[\w/-]{8,512}/g,
  /(?<=\.webhook\.office\.com\/)[\w/@-]{8,512}/g,
  /(?<=api\.telegram\.org\/bot)[\w:-]{8,128}/g,
  // `user:password@host`, `user:password@tcp(host)`.
  /(?<![\w.:/-])(?!mailto:|sips?:)[\w.-]{1,64}:[^\s@/'"<>]{3,128}@(?=[\w-]{1,63}\.[\w.-]|(?:tcp|unix|udp)\()/g,
  // Options of commands that are not called by a name: curl, sshpass, redis-cli, mysql, docker login.
  /\bcurl\b[^\n]{0,120}?\s(?:-u|--user)[ =]?([^\s:]{1,128}:\S{1,256})/dg,
  /\b(?:sshpass|mysql\w{0,16}|mariadb\w{0,16}|mongo\w{0,16}|docker login|podman login|helm registry login|ldap\w{0,16})\b[^\n]{0,120}?\s-p ?([^\s-]\S{0,256})/dg,
  /\b(?:redis-cli\b[^\n]{0,120}?\s-a|ldap\w{0,16}\b[^\n]{0,120}?\s-w) (\S{1,256})/dg,
  // SQL, netrc, redis.conf.
  /\b(?:IDENTIFIED (?:WITH \w{1,40} )?(?:BY|AS)|PASSWORD)\s{1,9}'([^'\n]{1,256})'/dgi,
  /\blogin\s{1,9}\S{1,128}\s{1,9}password\s{1,9}(\S{1,256})/dg,
  /\b(?:requirepass|masterauth)\s{1,9}([^\s=:]\S{0,256})/dg,
];
