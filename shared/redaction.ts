import { createHmac } from 'node:crypto';
import { asRecord } from '../events/exporter/as-record.ts';
import { canonical } from './canonical.ts';
import type { Range } from './credential-assignments.ts';
import { namesCredential } from './credential-forms.ts';
import { credentialsIn, type Finder, formsIn } from './credentials.ts';

/**
 * Takes credentials out of whole objects before they are kept. A value becomes a mark that says nothing about it but whether it is the same
 * as another: keyed with a random key that is kept nowhere. So whatever is compared with itself still compares.
 */
export interface Redaction {
  /** An object of a watch, a list or an answer. */
  object(object: unknown): unknown;
  /** An audit event: only what counting and people need of it; bodies never. */
  audit(event: unknown): unknown;
}

/** Annotations in which a tool keeps the whole object. */
const COPIES = /last-applied-configuration$|^kapp\.k14s\.io\/original|^objectset\.rio\.cattle\.io\/applied$/;
/** Fields whose whole content may be anything: commands, manifests, deploy keys. */
const WHOLE = new Set(['command', 'args', 'manifest']);
/** Lists of name and value, or maps. */
const VALUES = /^(env|env-?vars|default-?env-?vars|build-?args|parameters|updatedParameters)$/i;
/** Lists of key and value that hold no credential, and say where pods run. */
const OPEN_VALUES = new Set(['tolerations', 'taints']);
const HOLDERS = /^(Secret|ConfigMap)(List)?$/;
/** Where a CustomResourceDefinition holds a schema, in v1 and in v1beta1. */
const SCHEMAS = new Set(['schema', 'validation']);
/** In one text; with more it becomes one mark, for each costs time, and whoever may annotate an object chooses the text. */
const MAX_MARKS = 1_000;
/** Of texts that were redacted: how many are remembered, and how long each may be. */
const REMEMBERED = { texts: 20_000, length: 500 };

/** The redaction with all rules. They are loaded when something is recorded, for that is the one use. */
export async function loadRedaction(key: Buffer, keepEnv: string[] = []): Promise<Redaction> {
  const { knownSecretsIn } = await import('./known-secrets.ts');
  return redaction(key, keepEnv, [knownSecretsIn]);
}

/** `key`: random bytes that nobody keeps. `keepEnv`: names of variables whose values are no secret, because an examination compares them with words. */
export function redaction(key: Buffer, keepEnv: string[], finders: Finder[]): Redaction {
  const kept = new Set(keepEnv);
  const mark = (value: unknown): string => `redacted-${createHmac('sha256', key).update(canonical(value)).digest('hex').slice(0, 12)}`;
  const hidden = (value: string, ranges: Range[]): string => {
    if (ranges.length > MAX_MARKS) return mark(value);
    let [result, done] = ['', 0];
    for (const [from, to] of ranges) {
      result += value.slice(done, from) + mark(value.slice(from, to));
      done = to;
    }
    return result + value.slice(done);
  };
  const known = new Map<string, string>();
  /** An object in a storm is written with the same texts again and again. */
  const text = (value: string): string => {
    if (value.length > REMEMBERED.length) return hidden(value, credentialsIn(value, finders));
    const before = known.get(value);
    if (before !== undefined) return before;
    const after = hidden(value, credentialsIn(value, finders));
    if (known.size >= REMEMBERED.texts) known.clear();
    known.set(value, after);
    return after;
  };
  /** Every leaf becomes a mark; the names stay. */
  const leaves = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(leaves);
    if (typeof value === 'object' && value !== null) return mapped(value, (inner) => leaves(inner));
    return value === null || value === undefined || value === '' ? value : mark(value);
  };
  /** Of a list of name and value the values, of a plain map every leaf. */
  const values = (value: unknown): unknown => {
    if (!Array.isArray(value)) return leaves(value);
    return value.map((item) => {
      if (typeof item !== 'object' || item === null) return mark(item);
      const { name, key: also, valueFrom } = asRecord(item);
      return {
        ...(leaves(item) as object),
        ...(name !== undefined && { name }),
        ...(also !== undefined && { key: also }),
        ...(valueFrom !== undefined && { valueFrom }),
        ...(kept.has(String(name)) && { value: asRecord(item).value }),
      };
    });
  };
  /** It names every field, and of sets the values (`v:"…"`). */
  const fields = (value: unknown): unknown =>
    typeof value !== 'object' || value === null
      ? value
      : Object.fromEntries(
          Object.entries(value).map(([name, below]) => [name.startsWith('v:') ? `v:${mark(name)}` : text(name), fields(below)]),
        );
  /** A schema names fields, and is judged word by word; a value may stand in it only as a default or an example of the field `of`. */
  const schema = (value: unknown, of: string): unknown => {
    if (typeof value === 'string') return hidden(value, formsIn(value, finders));
    if (Array.isArray(value)) return value.map((inner) => schema(inner, of));
    if (typeof value !== 'object' || value === null) return value;
    return mapped(value, (inner, name) => {
      if (name === 'properties') return typeof inner === 'object' && inner !== null ? mapped(inner, schema) : inner;
      return name === 'default' || name === 'example' ? field(of, inner, '') : schema(inner, of);
    });
  };
  const field = (name: string, value: unknown, under: string): unknown => {
    if (under === 'annotations' && COPIES.test(name)) return mark(value);
    if (SCHEMAS.has(under) && name === 'openAPIV3Schema') return schema(value, '');
    if (name === 'fieldsV1') return fields(value);
    if (under === 'git' && name === 'keys') return leaves(value);
    if (under === 'registry' && name === 'account') return leaves(value);
    if (under === 'accounts' && name === 'hash') return leaves(value);
    if (WHOLE.has(name)) return leaves(value);
    if (VALUES.test(name)) return values(value);
    if (namesCredential(name, value)) return isReference(value) ? walk(value, name) : leaves(value);
    return walk(value, name);
  };
  const walk = (value: unknown, under: string): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map((inner) => walk(inner, under));
    if (typeof value !== 'object' || value === null) return value;
    const { kind, name: named, key: called, value: given } = asRecord(value);
    if (HOLDERS.test(String(kind))) return held(value, under);
    const pair = typeof (named ?? called) === 'string' && given !== undefined && !OPEN_VALUES.has(under) && !kept.has(String(named));
    return mapped(value, (inner, name) => (pair && name === 'value' ? leaves(inner) : field(name, inner, under)));
  };
  /** A Secret or a ConfigMap, or a list of them, whose members have no kind. */
  const held = (value: unknown, under: string): unknown =>
    typeof value !== 'object' || value === null
      ? walk(value, under)
      : mapped(value, (inner, name) => {
          if (['data', 'stringData', 'binaryData'].includes(name)) return leaves(inner);
          return name === 'items' && Array.isArray(inner) ? inner.map((item) => held(item, name)) : field(name, inner, under);
        });
  return { object: (object) => walk(object, ''), audit: (event) => auditOf(asRecord(event)) };
}

/** `{ name, key }` of a Secret: it says where the credential is, and not what it is. */
const isReference = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (['secretKeyRef', 'secretRef', 'valueFrom', 'secretName'].some((name) => name in value) ||
    ('name' in value && Object.keys(value).every((name) => ['name', 'key', 'namespace', 'optional'].includes(name))));

const mapped = (value: object, change: (inner: unknown, name: string) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, change(inner, name)]));

/** Query parameters that say what a request does; another may be the command of an exec. */
const QUERY = ['fieldManager', 'fieldValidation', 'dryRun', 'force', 'watch', 'resourceVersion', 'limit', 'labelSelector', 'fieldSelector'];

function auditOf(event: Record<string, unknown>): object {
  const { kind, apiVersion, level, auditID, stage, requestURI, verb, user, impersonatedUser, userAgent, objectRef } = event;
  const { code, reason, status } = asRecord(event.responseStatus);
  const { metadata } = asRecord(event.responseObject);
  const { name, namespace, uid, resourceVersion, generation } = asRecord(metadata);
  return {
    ...{ kind, apiVersion, level, auditID, stage, verb, userAgent, objectRef, requestURI: uriOf(requestURI), user: userOf(user) },
    ...(impersonatedUser !== undefined && { impersonatedUser: userOf(impersonatedUser) }),
    responseStatus: {
      code,
      ...(reason !== undefined && { reason }),
      ...(status !== undefined && { status: typeof status === 'string' ? status : undefined }),
    },
    ...(metadata !== undefined && { responseObject: { metadata: { name, namespace, uid, resourceVersion, generation } } }),
    ...{ requestReceivedTimestamp: event.requestReceivedTimestamp, stageTimestamp: event.stageTimestamp },
  };
}

/** Which pod sent a request, as the API server authenticated it. */
const POD = ['authentication.kubernetes.io/pod-name', 'authentication.kubernetes.io/pod-uid'];

function userOf(user: unknown): object {
  const { username, uid, extra } = asRecord(user);
  const kept = Object.entries(asRecord(extra)).filter(([name]) => POD.includes(name));
  return { username, ...(uid !== undefined && { uid }), ...(kept.length > 0 && { extra: Object.fromEntries(kept) }) };
}

function uriOf(uri: unknown): string {
  const [path = '', query = ''] = String(uri ?? '').split('?');
  const kept = [...new URLSearchParams(query)].filter(([name]) => QUERY.includes(name));
  return kept.length > 0 ? `${path}?${new URLSearchParams(kept)}` : path;
}
