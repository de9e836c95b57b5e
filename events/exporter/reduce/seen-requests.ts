import type { AuditRecord } from '../audit/audit-record.ts';
import { outcomeOf } from './outcome.ts';
import { Seen } from './seen.ts';

/** The API server repeats a batch for about 81 s: at its default cap of 4,000 events a second, and most of them about other resources. */
const REMEMBERED = 262_144;
/** Apart from the others, so that no flood of rejected requests makes us count a repeated write twice. */
const REJECTED_REMEMBERED = 16_384;

/** The requests that came already: the API server repeats a batch that was not answered. */
export class SeenRequests {
  readonly #written = new Seen(REMEMBERED);
  readonly #rejected = new Seen(REJECTED_REMEMBERED);

  /** True the first time, false on a repeat. */
  add(record: AuditRecord): boolean {
    const { auditID, stage, user } = record;
    const seen = outcomeOf(record) === 'rejected' ? this.#rejected : this.#written;
    // A client may choose its audit ID: with the user in it, it cannot pass for a repeat of another user's request.
    return seen.add(JSON.stringify([auditID, stage, user]));
  }
}
