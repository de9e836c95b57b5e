import { describe, expect, it } from '@jest/globals';
import { isWrite } from '../test/hung-write.ts';
import { type Toy, widgetPath } from '../test/toy-remediation.ts';
import { ToyWorld } from '../test/toy-world.ts';
import { rehearse } from './execute.ts';
import { LiveCluster } from './kubernetes/live-cluster.ts';
import type { Answer, Request } from './kubernetes/transport.ts';

const HOUR = 3_600_000;
const undo = { kind: 'undo', by: 'Ann' } as const;
const status = (code: number): Answer => ({ status: code, body: { kind: 'Status', code, message: `fault ${code}` }, warnings: [] });
const html = (code: number): Answer => ({ status: code, body: '<html>a proxy</html>', warnings: [] });

/** What stands between kubemend and the API server. `n` counts the writes, from 1; dry runs and reads pass. */
type Proxy = (world: ToyWorld, request: Request, n: number) => Answer | undefined | Promise<Answer | undefined>;

async function behind(proxy: Proxy, toy: Toy = {}) {
  const world = new ToyWorld(toy);
  await world.mode('auto');
  const sent: Request[] = [];
  const sender = {
    async send(request: Request): Promise<Answer> {
      if (!isWrite(request)) return world.cluster.send(request);
      sent.push(request);
      return (await proxy(world, request, sent.length)) ?? world.cluster.send(request);
    },
  };
  world.engine = world.newEngine({ access: (name) => ({ examine: () => new LiveCluster(name, sender, world.artifacts), sender }) });
  await world.fact();
  return { world, sent };
}
const colors = ({ cluster }: ToyWorld) => ['a', 'b'].map((name) => cluster.get(widgetPath(name))?.spec?.color).join('/');

describe.each(['merge-patch', 'json-patch', 'apply'] as const)('the answer to a %s', (kind) => {
  it.each([401, 403, 409, 422, 500])('does not hide a write that was stored before it: %i', async (code) => {
    const { world, sent } = await behind(
      async ({ cluster }, request, n) => {
        if (n > 1) return undefined;
        await cluster.send(request);
        return status(code);
      },
      { kind },
    );
    await world.run(HOUR);
    const { state, execution } = await world.incident();
    expect([state, execution?.written]).toEqual(['verified', [expect.objectContaining({ how: 'found' })]]);
    expect(sent).toHaveLength(1);
  });

  it.each([400, 401, 403, 404, 409, 422])('proves nothing with the status %i and the page of a proxy', async (code) => {
    const { world, sent } = await behind((_, __, n) => (n === 1 ? html(code) : undefined), { kind });
    await world.run(HOUR);
    expect(await world.story()).toMatch(/not known yet whether step 1 is written/);
    expect(await world.story()).not.toMatch(/refused|nothing was written/);
    expect(sent).toHaveLength(1);
  });

  it.each([409, 422, 500])('does not make a write of another program named kubemend ours: %i', async (code) => {
    const { world } = await behind(
      async ({ cluster }, _, n) => {
        if (n > 1) return undefined;
        // A server-side apply has an entry of its own in managedFields.
        const body = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a', namespace: 'shop' }, spec: { size: 9 } };
        const contentType = `application/${kind === 'apply' ? 'apply-patch+yaml' : 'merge-patch+json'}`;
        await cluster.send({ method: 'PATCH', path: `${widgetPath('a')}?fieldManager=kubemend&force=true`, body, contentType });
        return status(code);
      },
      { kind },
    );
    await world.run(60_000);
    expect(colors(world)).toBe('red/red');
    await world.run(HOUR);
    const { state, because, execution } = await world.incident();
    expect(execution?.written ?? []).toEqual([]);
    expect(`${state}: ${because}`).toMatch(
      /^failed: not known to be written: widgets shop\/a changed since it was read: spec.color was written as "?blue/,
    );
  });
});

it('sends a write that the API server refuses again and again only five times, and says so', async () => {
  const { world, sent } = await behind(() => status(409));
  await world.run(4 * HOUR);
  const { state, because } = await world.incident();
  expect(`${state}: ${because}`).toMatch(/^refused: nothing was written: the API server refused the write 5 times: .*409/);
  expect(sent).toHaveLength(5);
});

it('asks for the dry run of a deletion in the path too, so that a proxy that drops the body deletes nothing', async () => {
  const world = new ToyWorld();
  const sender = { send: ({ body: _, ...request }: Request) => world.cluster.send(request) };
  const target = { group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name: 'a' };
  const step = { kind: 'delete' as const, target, reason: 'x' };
  const { artifacts } = world;
  await rehearse({ step, lock: { index: 0 }, incident: 'i', now: 1, sender, artifacts });
  expect(world.cluster.get(widgetPath('a'))).toBeDefined();
});

describe('an undo that stopped between two steps', () => {
  it.each([500, 409, 403])('is finished by the next undo: %i', async (code) => {
    const { world, sent } = await behind((_, __, n) => (n === 4 ? status(code) : undefined), { twoSteps: true });
    await world.run(HOUR);
    expect([await world.say(undo), colors(world)]).toEqual([true, 'blue/blue']);
    await world.run(HOUR);
    expect([(await world.incident()).state, colors(world)]).toEqual(['failed', 'blue/red']);
    expect(await world.say(undo)).toBe(true);
    await world.run(HOUR);
    expect([(await world.incident()).state, colors(world)]).toEqual(['undone', 'red/red']);
    expect(sent).toHaveLength(5);
  });

  it('is finished by the next undo after a pause', async () => {
    const { world } = await behind(
      async ({ cluster, state }, request, n) => {
        if (n !== 3) return undefined;
        await state.set('paused', 'Bob');
        return cluster.send(request);
      },
      { twoSteps: true },
    );
    await world.run(HOUR);
    await world.say(undo);
    await world.run(HOUR);
    expect(colors(world)).toBe('blue/red');
    await world.state.set('paused', undefined);
    await world.say(undo);
    await world.run(HOUR);
    expect([(await world.incident()).state, colors(world)]).toEqual(['undone', 'red/red']);
  });

  it('whose second write was stored with a lost answer leaves nothing to undo twice', async () => {
    const { world, sent } = await behind(
      async ({ cluster }, request, n) => {
        if (n !== 4) return undefined;
        await cluster.send(request);
        return html(502);
      },
      { twoSteps: true },
    );
    await world.run(HOUR);
    await world.say(undo);
    await world.run(HOUR);
    expect([(await world.incident()).state, colors(world)]).toEqual(['undone', 'red/red']);
    expect(await world.say(undo)).toBe(false);
    expect(sent).toHaveLength(4);
  });
});
