/** What is wrong with the id of a channel, and where to find it; undefined: nothing. */
export const wrongChannel = (id: string): string | undefined =>
  /^[CGD][A-Z0-9]{5,}$/.test(id)
    ? undefined
    : `"${id}" is no channel id: in Slack, open the channel's details and copy the id at their end (C…)`;

/** What is wrong with the id of a person, and where to find it; undefined: nothing. */
export const wrongPerson = (id: string): string | undefined =>
  /^[UW][A-Z0-9]{5,}$/.test(id) ? undefined : `"${id}" is no Slack user id: open the person's profile, "Copy member ID" (U…)`;

/** `U1, U2` as a list. */
export const peopleOf = (list: string): string[] => list.split(',').map((id) => id.trim());
