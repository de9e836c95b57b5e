import { createHash } from 'node:crypto';
import { allLive } from '../../shared/evidence.ts';
import { apply, targetOf } from '../../shared/plan.ts';
import { type Definition, remediation } from '../../shared/remediation.ts';
import { clear, fix } from '../../shared/verdict.ts';
import { DOCUMENTS, mendWidgets } from '../toy-remediation.ts';

/** The document that is applied, under the name that pins it. */
export const [NAME, DOCUMENT] = ['widgets/blue', DOCUMENTS.get('widgets/blue') ?? ''];
const sha256 = createHash('sha256').update(DOCUMENT).digest('hex');

/** The toy that mends a widget by a pinned document. */
export const paintByDocument = (): Definition =>
  remediation({
    ...mendWidgets({}),
    async examine({ cluster, incident: { object } }) {
      const { uid: _, ...widget } = object;
      const live = await cluster.get(widget);
      if (live?.spec?.color !== 'red') return clear('the widget is not red');
      const step = apply(targetOf(widget, live), { artifact: NAME, sha256 }, 'red is an error');
      return fix('the widget is red', { evidence: allLive({ color: 'red' }), steps: [step] });
    },
  });
