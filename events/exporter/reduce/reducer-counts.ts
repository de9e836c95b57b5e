/** What a reducer counts since its start. */
export const noCounts = () => ({
  requests: 0,
  events: 0,
  facts: 0,
  duplicates: 0,
  dryRuns: 0,
  own: 0,
  unnamed: 0,
  unauthenticated: 0,
  rejected: 0,
  skewed: 0,
  ignored: 0,
  reported: 0,
  unreadable: 0,
});

/** Why a record led to nothing that is counted in a window. */
export type Skipped = 'duplicates' | 'ignored' | 'dryRuns' | 'own' | 'unnamed' | 'unauthenticated' | 'rejected';
