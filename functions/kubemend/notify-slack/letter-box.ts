import type { IncidentChanged } from '../../../events/incident-changed.ts';
import { nameOf } from '../../../shared/kubernetes/object.ts';
import { details } from '../../../shared/slack/details.ts';
import { type IncidentLetter, isNewer, type Letter, type Letters, type StormLetter } from '../../../shared/slack/letter.ts';
import { worthTelling } from '../../../shared/slack/severity.ts';
import { storyOf } from '../../../shared/slack/story.ts';
import { burstKey, newStorm, OWN, place, type StormLimits } from './place.ts';

/** What Slack refuses this often is left, and so is a message that is deleted this often. */
const REFUSALS = 3;

/** Changes the stored letters: each change is one conditional write, and somebody else's in between is taken into account. */
export class LetterBox {
  readonly #letters: Letters;

  constructor(letters: Letters) {
    this.#letters = letters;
  }

  pending = (): Promise<Letter[]> => this.#letters.pending(100);

  /** Keeps a change of an incident; one that is not newer than what is known changes nothing. */
  async keep(change: IncidentChanged): Promise<void> {
    await this.#update<IncidentLetter>(change.incident, (known) => {
      if (known && !isNewer(change, known.change)) return undefined;
      return {
        kind: 'incident',
        key: change.incident,
        version: 0,
        refusals: 0,
        lost: 0,
        details: [],
        ...known,
        ...{ change, pendingSince: known?.pendingSince },
      };
    });
  }

  /** Where the message of a new incident belongs; a letter that has its place keeps it. */
  async place(letter: IncidentLetter, now: number, limits: StormLimits): Promise<string> {
    if (letter.place) return letter.place;
    const key = burstKey(letter);
    let placed = OWN;
    await this.#update(key, (known) => {
      const burst =
        known?.kind === 'burst'
          ? known
          : { kind: 'burst' as const, key, version: 0, pendingSince: undefined, refusals: 0, lost: 0, opened: [] };
      const { placed: decided, ...next } = place(burst, now, limits);
      placed = decided;
      return next;
    });
    await this.patch(letter, { place: placed });
    return placed;
  }

  /** Puts an incident into the summary of its storm, as it is now. */
  async join(key: string, letter: IncidentLetter, now: number): Promise<StormLetter> {
    const { id: change, incident, object, state, detectedAt } = letter.change;
    return this.#update<StormLetter>(key, (known) => {
      const storm = known ?? newStorm(key, letter, new Date(now).toISOString());
      const member = storm.members.find((one) => one.incident === incident);
      if (member && !isNewer({ id: change }, { id: member.change })) return undefined;
      const others = storm.members.filter((one) => one !== member);
      return {
        ...storm,
        members: [...others, { incident, object: nameOf(object), state, detectedAt, change }],
        pendingSince: storm.pendingSince ?? now,
      };
    });
  }

  /** Notes what was done with a letter; whether something is left to tell follows from it. */
  patch = <L extends IncidentLetter>(letter: L, patch: Partial<IncidentLetter>): Promise<IncidentLetter> =>
    this.#update<IncidentLetter>(letter.key, (known) => known && { ...known, ...patch });

  /** A summary was sent with these members; who joined since is still to be told. */
  summed = (sent: StormLetter, patch: Partial<StormLetter>): Promise<StormLetter> =>
    this.#update<StormLetter>(
      sent.key,
      (known) => known && { ...known, ...patch, pendingSince: known.version === sent.version ? undefined : known.pendingSince },
    );

  /** The letter as it is stored now, if it still has something to tell. */
  async stillPending({ key }: Letter): Promise<Letter | undefined> {
    const letter = await this.#letters.load(key);
    return letter?.pendingSince === undefined ? undefined : letter;
  }

  /** Slack refused it: next time the words alone, then nothing. `gone`: its message is not there any more, so a new one is posted. */
  async refused(letter: Letter, gone: boolean): Promise<{ left: boolean }> {
    const lost = letter.lost + (gone ? 1 : 0);
    const refusals = letter.refusals + (gone ? 0 : 1);
    const left = lost > REFUSALS || refusals >= REFUSALS;
    const common = { lost, refusals: left ? 0 : refusals, ...(gone && { message: undefined }) };
    if (letter.kind === 'storm') {
      await this.#update<StormLetter>(letter.key, (known) => known && { ...known, ...common, ...(left && { pendingSince: undefined }) });
    } else if (letter.kind === 'incident') {
      const { change, details: posted } = letter;
      const due = dueDetails(letter)?.key;
      const anew = gone && { told: undefined, details: [], place: OWN };
      await this.patch(letter, left ? { ...common, told: change.id, details: [...posted, ...(due ? [due] : [])] } : { ...common, ...anew });
    }
    return { left };
  }

  async #update<L extends Letter>(key: string, next: (known: L | undefined) => L | undefined): Promise<L> {
    for (;;) {
      const known = (await this.#letters.load(key)) as L | undefined;
      const letter = next(known);
      if (!letter) {
        if (known) return known;
        throw new Error(`There is no letter ${key}: its table was changed by somebody else`);
      }
      const stored = { ...letter, version: (known?.version ?? 0) + 1, pendingSince: pendingOf(letter) };
      if (await this.#letters.save(stored)) return stored;
    }
  }
}

/** Since when there is something to tell of an incident; summaries know it themselves. */
function pendingOf(letter: Letter): number | undefined {
  if (letter.kind !== 'incident') return letter.pendingSince;
  const { change, told } = letter;
  const due = told !== change.id ? worthTelling(storyOf(change)) : dueDetails(letter) !== undefined;
  return due ? (letter.pendingSince ?? Date.parse(change.at)) : undefined;
}

/** What belongs into the thread of an incident's own message and is not there yet. */
export function dueDetails({ change, message, place: placed, details: posted }: IncidentLetter): ReturnType<typeof details> {
  if (!message || placed !== OWN) return undefined;
  const found = details(storyOf(change));
  return found && !posted.includes(found.key) ? found : undefined;
}
