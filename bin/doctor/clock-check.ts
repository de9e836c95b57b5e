import { type Finding, fine, unknown, wrong } from './finding.ts';

/** The exporter pairs audit and watch events that are 2 s apart at most; more hides no-op writes. */
const MOST = 2_000;

/** Compares a clock with ours; `asked` and `answered` are our times around the question, `grain` what the other clock cannot show. Milliseconds. */
export function clockFinding(whose: string, theirs: number | undefined, asked: number, answered: number, grain: number): Finding {
  const check = `clock of ${whose}`;
  if (theirs === undefined) return unknown(check, 'It does not tell its time', 'compare the clocks by hand');
  // What their clock may show if both are right: any moment between question and answer, cut to its grain.
  const early = asked - grain - theirs;
  const late = theirs - answered;
  const off = Math.max(early, late, 0);
  const says =
    off === 0 ? 'it agrees with ours' : `it is ${(off / 1_000).toFixed(1)} s ${early > late ? 'behind' : 'ahead of'} ours at least`;
  if (off <= MOST) return fine(check, says);
  return wrong(check, says, 'synchronise both clocks (chrony, systemd-timesyncd): audit and watch are matched within 2 s');
}
