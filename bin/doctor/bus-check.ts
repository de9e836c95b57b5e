import { DescribeEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { type Finding, fine, unknown, wrong } from './finding.ts';

/** Asks EventBridge for the bus; sends nothing. */
export async function busFinding(bus: string, region: string, client = new EventBridgeClient({ region })): Promise<Finding> {
  try {
    const { Arn } = await client.send(new DescribeEventBusCommand({ Name: bus }));
    return fine('bus', `${Arn ?? bus} is there`);
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'ResourceNotFoundException')
      return wrong('bus', `There is no bus ${bus} in ${region}`, 'deploy it, or correct its name and region');
    if (name === 'AccessDeniedException') return unknown('bus', message, 'allow events:DescribeEventBus, which only this check needs');
    return wrong('bus', `EventBridge in ${region} could not be asked: ${name}: ${message}`, 'check the credentials and the network');
  } finally {
    client.destroy();
  }
}
