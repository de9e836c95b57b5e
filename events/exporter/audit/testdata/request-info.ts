/** What kube-apiserver puts into `verb` and `objectRef` for a request: its RequestInfoFactory (1.36), line by line, as the tests' model of it. */
export interface RequestInfo {
  verb: string;
  objectRef?: { resource: string; namespace?: string; name?: string; apiGroup?: string; apiVersion?: string; subresource?: string };
}

const VERBS: Record<string, string> = { POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** `path` is decoded and has no query. */
export function requestInfo(method: string, path: string): RequestInfo {
  const other = { verb: method.toLowerCase() };
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  let parts = trimmed === '' ? [] : trimmed.split('/');
  if (parts.length < 3 || (parts[0] !== 'api' && parts[0] !== 'apis')) return other;
  const grouped = parts[0] === 'apis';
  parts = parts.slice(1);
  if (grouped && parts.length < 3) return other;
  const apiGroup = grouped ? parts.shift() : '';
  const apiVersion = parts.shift();
  let verb = VERBS[method] ?? '';
  if (parts[0] === 'proxy' || parts[0] === 'watch') {
    if (parts.length < 2) return { verb: method.toLowerCase(), objectRef: made({ resource: '', apiGroup, apiVersion }) };
    verb = parts.shift() as string;
  }
  let inside: string | undefined;
  if (parts[0] === 'namespaces' && parts.length > 1) {
    inside = parts[1];
    if (parts.length > 2 && parts[2] !== 'status' && parts[2] !== 'finalize') parts = parts.slice(2);
  }
  const [resource = '', name, third] = parts;
  if (!name && verb === 'get') verb = 'list';
  if (!name && verb === 'delete') verb = 'deletecollection';
  return {
    verb,
    objectRef: made({ resource, namespace: inside, name, apiGroup, apiVersion, subresource: verb === 'proxy' ? undefined : third }),
  };
}

/** As Go's `omitempty`. */
function made(reference: Record<string, string | undefined>): NonNullable<RequestInfo['objectRef']> {
  return Object.fromEntries(Object.entries(reference).filter(([, value]) => value)) as never;
}
