import type { Examination } from '../../../shared/remediation.ts';
import { clear, type Verdict } from '../../../shared/verdict.ts';
import { kuberoOperators } from '../operator.ts';
import { causeOf } from './cause.ts';
import { failureOf, reportFailure } from './failing-release.ts';
import { operatorObstacles } from './obstacles.ts';
import { pipelineOf } from './pipeline.ts';
import { RESTS } from './reconcile-period.ts';
import { slowDown } from './slow-down.ts';

/** What a scan asks: will this pipeline be upgraded at every reconciliation? That needs no revision. */
export async function latent(examination: Examination): Promise<Verdict> {
  const { cluster, incident } = examination;
  const pipeline = await pipelineOf(cluster, incident.object);
  if (!pipeline || pipeline.metadata.deletionTimestamp) return clear('the pipeline is gone');
  const failure = failureOf(pipeline);
  if (failure) return reportFailure(failure, pipeline);
  const operators = await kuberoOperators(cluster, incident.object.namespace);
  const cause = causeOf(pipeline, operators);
  if ('kind' in cause) return cause;
  if (operators.length === 0) return clear('no Kubero operator is found');
  if (!cause.certain) return clear(`whether its chart looks credentials up depends on the version of the operator (${cause.mode})`);
  if (cause.period.ms >= RESTS) return clear(`it is reconciled every ${cause.period.written} only`);
  return slowDown(pipeline, cause, operators, operatorObstacles(operators), examination);
}
