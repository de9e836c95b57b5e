import { readAnswerEnvironment, readContinueEnvironment, readEnvironment, readNotifyEnvironment } from '../infra/lambda/environment.ts';
import { parseLimits } from '../infra/lambda/limits.ts';
import type { Resources } from './template-dead-letters.ts';
import { resolvedOf } from './template-values.ts';

type Variables = Record<string, string>;
interface Lambda {
  FunctionName: string;
  Environment: { Variables: Variables };
}
/** How a function reads its environment, and which resources it must find in it. */
interface Reader {
  read(variables: Variables): object;
  finds: object;
}

const remediation: Reader = {
  read(variables) {
    const { limits, ...rest } = readEnvironment(variables);
    return { ...rest, limits: parseLimits(limits) };
  },
  finds: {
    ...{ bus: 'Bus', table: 'Table', bucket: 'Artifacts', region: 'eu-west-1', endpoint: undefined },
    appointments: {
      ...{ queue: 'Appointments', queueArn: 'Appointments.Arn', deadLetterArn: 'AppointmentsDeadLetters.Arn' },
      ...{ group: 'AppointmentsGroup', roleArn: 'AppointmentsRole.Arn' },
    },
  },
};
/** By function; every other is a remediation's. */
const OWN: Record<string, Reader> = {
  'kubemend-dev-kubemend-continue-incident': {
    read: readContinueEnvironment,
    finds: { table: 'Table', queue: 'Appointments', functions: 'kubemend-dev-' },
  },
  'kubemend-dev-kubemend-notify-slack': { read: readNotifyEnvironment, finds: { table: 'Table' } },
  'kubemend-dev-kubemend-answer-slack': { read: readAnswerEnvironment, finds: { table: 'Table', queue: 'Appointments' } },
};

/** What each function would misunderstand in the environment that the template gives it: read as the function itself reads it. */
export function problemsOfEnvironment(resources: Resources): string[] {
  return resolvedOf<Lambda>(resources, 'AWS::Lambda::Function').flatMap(
    ([
      ,
      {
        FunctionName,
        Environment: { Variables: own },
      },
    ]) => {
      const { read, finds } = OWN[FunctionName] ?? remediation;
      const answer = (without?: string): object =>
        read(Object.fromEntries(Object.entries({ ...own, AWS_REGION: 'eu-west-1' }).filter(([name]) => name !== without)));
      try {
        const found = answer() as Record<string, unknown>;
        const wrong = Object.entries(finds).filter(([key, wanted]) => JSON.stringify(found[key]) !== JSON.stringify(wanted));
        const unread = Object.keys(own).filter((name) => !matters(() => answer(name), found));
        return [
          ...wrong.map(([key, wanted]) => `${FunctionName} finds ${key} ${JSON.stringify(found[key])}, not ${JSON.stringify(wanted)}`),
          ...unread.map((name) => `${FunctionName} is given ${name} and does not read it`),
        ];
      } catch (error) {
        return [`${FunctionName}: ${(error as Error).message}`];
      }
    },
  );
}

/** Whether reading fails, or finds something else. */
function matters(read: () => object, before: object): boolean {
  try {
    return JSON.stringify(read()) !== JSON.stringify(before);
  } catch {
    return true;
  }
}
