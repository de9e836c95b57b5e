import type { Envelope } from '../../events/fact.ts';
import type { Bus } from '../../shared/bus/bus.ts';

/** A bus that adds to each outcome what the reader must know about the run it comes from: in `because` for people, in `record.notes` for programs. */
export const notedBus = (bus: Bus, notes: string[]): Bus => ({
  publish: ({ detail, ...rest }: Envelope) => {
    const because = `${detail.because} (${notes.join('; ')})`;
    return bus.publish({ ...rest, detail: { ...detail, because, record: { ...(detail.record as object), notes } } });
  },
});
