import { beforeAll, describe, expect, it } from '@jest/globals';
import { runMatrix } from '../loss/matrix.ts';
import type { Row } from '../loss/run-scenario.ts';
import { scenarios } from '../loss/scenarios.ts';

/** The loss matrix of the bench, with seconds of trouble in place of minutes. */
let rows: Row[];
beforeAll(async () => {
  rows = await runMatrix({ long: false, scenarios });
}, 600_000);

describe('an exporter that is killed, starved and lied to', () => {
  it.each(scenarios.map(({ name }, index) => ({ name, index })))('$name: nothing is lost, or a fact says so', ({ index }) => {
    const { name, lossless, lost, lostOutsideGap, unequalIds, untrue, disordered, violations, exitCode, expected, problems } = rows[
      index
    ] as Row;
    const wrong = { lostOutsideGap, unequalIds, untrue, disordered, violations, exitCode, ...(lossless && { lost }) };
    const isWrong = lostOutsideGap > 0 || unequalIds > 0 || untrue.length > 0 || (lossless && lost > 0);
    expect({ name, ...wrong, problems: isWrong ? problems : [] }).toEqual({
      ...{ name, lostOutsideGap: 0, unequalIds: 0, untrue: [], disordered: 0, violations: [], exitCode: 0 },
      ...(lossless && { lost: 0 }),
      problems: [],
    });
    expect(expected).toBeGreaterThan(60);
  });

  it('was really killed, and its disk really full', () => {
    for (const { name, kills, notes } of rows) {
      if (name.includes('kill -9') || name.includes('all')) expect(kills).toBeGreaterThan(0);
      if (name.includes('disk')) expect(notes).toContainEqual(expect.stringMatching(/^disk: (tmpfs|injected)$/));
    }
  });
});
