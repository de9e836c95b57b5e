import { runMatrix } from '../../test/loss/matrix.ts';
import { scenarios } from '../../test/loss/scenarios.ts';
import type { BenchOptions, Findings, Section } from '../section.ts';

/** What is lost when everything goes wrong, on a real API server: the rows of `test/loss/scenarios.ts`, for minutes each. */
export const section: Section = { name: 'loss', run };

async function run({ quick, progress }: BenchOptions): Promise<Findings> {
  const rows = await runMatrix({ long: !quick, scenarios, progress });
  const sum = (field: 'lostOutsideGap' | 'unequalIds' | 'duplicates' | 'lost' | 'expected') =>
    rows.reduce((all, row) => all + row[field], 0);
  const table = {
    title: 'Loss',
    columns: ['Trouble', 'Written', 'Arrived', 'Lost in a told gap', 'Lost untold', 'Came twice', 'Unequal ids', 'Worst lag, s', 'Notes'],
    rows: rows.map(
      ({ name, expected, arrived, inGap, lostOutsideGap, duplicates, unequalIds, worstLagSeconds, untrue, disordered, notes }) => [
        ...[name, expected, arrived, inGap, lostOutsideGap, duplicates, unequalIds, worstLagSeconds],
        [
          ...notes,
          ...(untrue.length > 0 ? [`${untrue.length} untrue facts, the first: ${untrue[0]}`] : []),
          ...(disordered > 0 ? [`${disordered} facts overtaken`] : []),
        ].join(', '),
      ],
    ),
    notes: [
      'A real kube-apiserver and etcd, the exporter in a process of its own, PutEvents over HTTP with the faults of the row.',
      'Written: numbered versions that the API server confirmed, and requests that changed nothing, as its own audit log has them. A version has arrived when its fact has; a request when a Writes Counted fact counted it at the right moment.',
      'A told gap: the next fact about the object, or the count that lacks the request, has `coverage.gap`. Lost untold and unequal ids must be 0; whatever came twice had the same id.',
    ],
  };
  const json = {
    rows: rows.map(({ name, expected, arrived, lost, lostOutsideGap, duplicates, unequalIds, worstLagSeconds }) => ({
      ...{ name, expected, arrived, lost, lostOutsideGap, duplicates, unequalIds, worstLagSeconds },
    })),
    ...{ expected: sum('expected'), lost: sum('lost'), lostOutsideGap: sum('lostOutsideGap') },
    ...{ duplicates: sum('duplicates'), unequalIds: sum('unequalIds') },
    untrue: rows.reduce((all, { untrue }) => all + untrue.length, 0),
    disordered: rows.reduce((all, { disordered }) => all + disordered, 0),
  };
  return { tables: [table], json: { loss: json } };
}
