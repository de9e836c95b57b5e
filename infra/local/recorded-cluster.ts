import type { Artifacts } from '../../shared/artifacts/artifacts.ts';
import { Doubt, type Read } from '../../shared/cluster.ts';
import type { Recorder } from '../../shared/examine.ts';
import { isSecret, secretMetadata } from '../../shared/kubernetes/metadata-only.ts';
import { type Collection, type KubernetesObject, nameOf, pathOf, type Reference } from '../../shared/kubernetes/object.ts';
import { type ZnodeReference, znodeName } from '../../shared/znode-step.ts';
import type { Znode } from '../../shared/zookeeper/client.ts';
import { getQuestion, listQuestion, questionOf, type ReadLine } from './read-line.ts';

/** The objects of a recording as they stood at one moment. */
export class RecordedObjects {
  readonly #kinds = new Map<string, Map<string, KubernetesObject>>();
  readonly #answers = new Map<string, ReadLine>();

  /** What an examination was answered when this was recorded; the same question gets the same answer until a later one. */
  answer(read: ReadLine): void {
    this.#answers.set(questionOf(read), read);
  }

  answerTo(question: string): ReadLine | undefined {
    return this.#answers.get(question);
  }

  /** Declares a kind as recorded: only then may "there is none" be concluded. */
  declare(group: string, resource: string): void {
    const kind = `${group}/${resource}`;
    if (!this.#kinds.has(kind)) this.#kinds.set(kind, new Map());
  }

  put(group: string, resource: string, object: KubernetesObject): void {
    this.declare(group, resource);
    this.of(group, resource).set(keyOf(object.metadata), object);
  }

  remove(group: string, resource: string, object: KubernetesObject): void {
    this.of(group, resource).delete(keyOf(object.metadata));
  }

  /** Throws Doubt for a kind that was never recorded: that is never the same as "not found". */
  of(group: string, resource: string): Map<string, KubernetesObject> {
    const objects = this.#kinds.get(`${group}/${resource}`);
    if (!objects) throw new Doubt(`${resource}${group && `.${group}`}: not recorded`);
    return objects;
  }
}

/** One examination's view of a recording. */
export class RecordedCluster implements Recorder {
  readonly name: string;
  readonly reads: Read[] = [];
  readonly #objects: RecordedObjects;
  readonly #artifacts: Artifacts;

  constructor(name: string, objects: RecordedObjects, artifacts: Artifacts) {
    this.name = name;
    this.#objects = objects;
    this.#artifacts = artifacts;
  }

  async get(reference: Reference): Promise<KubernetesObject | undefined> {
    const answer = this.#objects.answerTo(getQuestion(reference));
    const found =
      answer && 'get' in answer
        ? (answer.object ?? undefined)
        : this.#objects.of(reference.group, reference.resource).get(keyOf(reference));
    const object = found && isSecret(reference) ? secretMetadata(found) : found;
    const { uid, resourceVersion } = object?.metadata ?? {};
    this.reads.push({
      path: pathOf(reference, reference.name),
      found: object !== undefined,
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
    });
    return object;
  }

  async list(collection: Collection): Promise<KubernetesObject[]> {
    const { group, resource, namespace, labelSelector } = collection;
    const wanted = labelSelector?.split(',').map((term) => term.split('=') as [string, string]) ?? [];
    const answer = this.#objects.answerTo(listQuestion(collection));
    const matching = () =>
      [...this.#objects.of(group, resource).values()].filter(
        ({ metadata }) =>
          (!namespace || metadata.namespace === namespace) && wanted.every(([label, value]) => metadata.labels?.[label] === value),
      );
    const items = answer && 'list' in answer ? answer.objects : matching();
    this.reads.push({ path: pathOf(collection), found: true, items: items.length });
    return isSecret(collection) ? items.map(secretMetadata) : items;
  }

  async znode(reference: ZnodeReference): Promise<Znode | undefined> {
    const path = znodeName(reference);
    const answer = this.#objects.answerTo(path);
    if (!answer || !('znode' in answer)) throw new Doubt(`${path}: not recorded`);
    const { value } = answer;
    this.reads.push({ path, found: value !== null });
    return value ? { ...value, data: Buffer.from(value.data, 'base64') } : undefined;
  }

  async artifact(name: string): Promise<{ text: string; sha256: string } | undefined> {
    const known = await this.#artifacts.describe(name);
    return known && { text: await this.#artifacts.get(name, known.sha256), sha256: known.sha256 };
  }
}

const keyOf = ({ namespace = '', name }: { namespace?: string | undefined; name: string }): string =>
  nameOf({ resource: '', namespace, name });
