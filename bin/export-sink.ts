import type { Sink } from '../events/exporter/sink/sink.ts';
import { realWait } from '../events/exporter/wait.ts';
import { oneLine } from '../shared/one-line.ts';
import { terminal } from './terminal.ts';
import { type Call, text, UsageError } from './verb.ts';

/** Where `export` sends facts: an EventBridge bus, or standard output. Throws UsageError unless one of the two was named. */
export async function exportSink(call: Call): Promise<Sink> {
  const bus = text(call, 'bus');
  if ((bus === undefined) === (call.values.print !== true))
    throw new UsageError('Name one place for the facts: --bus NAME or ARN, or --print. Run: kubemend export --help');
  return bus === undefined ? printSink(terminal().stdout) : busSink(bus, regionOf(call, bus));
}

/** The region of a bus: of its ARN, else --region. Throws UsageError. */
export function regionOf(call: Call, bus: string): string {
  const region = bus.startsWith('arn:') ? bus.split(':')[3] : text(call, 'region');
  if (!region) throw new UsageError(`In which region is the bus ${bus}? Give --region, or the ARN of the bus`);
  return region;
}

async function busSink(bus: string, region: string): Promise<Sink> {
  const [{ EventBridgeClient }, { PutEventsSink }] = await Promise.all([
    import('@aws-sdk/client-eventbridge'),
    import('../events/exporter/sink/put-events.ts'),
  ]);
  return new PutEventsSink({ client: new EventBridgeClient({ region }), bus, random: Math.random, wait: realWait });
}

/** One JSON line per fact; delivered when the stream took it. */
export const printSink = (stream: NodeJS.WritableStream): Sink => ({
  put: (events) =>
    new Promise((resolve, reject) => {
      const lines = events.map((event) => `${oneLine(JSON.stringify(event))}\n`).join('');
      stream.write(lines, (error) => (error ? reject(error) : resolve()));
    }),
});
