import { CreateEventBusCommand, EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { clientOptions, type Moto, startMoto } from '../../test/aws/moto.ts';
import { busContract } from './contract.ts';
import { EventBridgeBus } from './eventbridge.ts';

let moto: Moto;
beforeAll(async () => {
  moto = await startMoto();
}, 180_000);
afterAll(() => moto.stop());

let made = 0;
const wait = async () => undefined;

busContract('EventBridgeBus on moto', async () => {
  made += 1;
  const name = `bus-${made}`;
  const [client, sqs] = [new EventBridgeClient(clientOptions(moto.endpoint)), new SQSClient(clientOptions(moto.endpoint))];
  await client.send(new CreateEventBusCommand({ Name: name }));
  return {
    bus: new EventBridgeBus({ client, bus: name, wait }),
    async rule(pattern) {
      made += 1;
      const rule = `rule-${made}`;
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: rule }));
      await client.send(new PutRuleCommand({ Name: rule, EventBusName: name, EventPattern: JSON.stringify(pattern) }));
      const Targets = [{ Id: '1', Arn: `arn:aws:sqs:eu-west-1:123456789012:${rule}` }];
      await client.send(new PutTargetsCommand({ Rule: rule, EventBusName: name, Targets }));
      return async () => {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        return Messages.map(({ Body = '' }) => {
          const { source, 'detail-type': type, time, detail } = JSON.parse(Body);
          return { source, 'detail-type': type, time: new Date(time).toISOString(), detail };
        });
      };
    },
    close: async () => {
      client.destroy();
      sqs.destroy();
    },
  };
});

it('EventBridgeBus says which bus does not answer', async () => {
  const client = new EventBridgeClient({ ...clientOptions('http://127.0.0.1:1'), maxAttempts: 1 });
  const bus = new EventBridgeBus({ client, bus: 'gone', wait });
  const event = { id: 'a/1', source: 'kubemend', 'detail-type': 'Incident Changed', time: '2026-11-21T04:05:06.000Z', detail: {} };
  await expect(bus.publish(event)).rejects.toThrow('Incident Changed a/1 was not taken by the bus gone: ');
  client.destroy();
});
