/** What one check found. */
export interface Finding {
  /** What was looked at: `audit`, `clock`, `rights of exporter`, … */
  check: string;
  /** `unknown`: it could not be asked, which is no proof of anything. */
  result: 'fine' | 'wrong' | 'unknown';
  says: string;
  /** The next step, when there is one. */
  fix?: string;
}

export const fine = (check: string, says: string): Finding => ({ check, result: 'fine', says });
export const wrong = (check: string, says: string, fix: string): Finding => ({ check, result: 'wrong', says, fix });
export const unknown = (check: string, says: string, fix: string): Finding => ({ check, result: 'unknown', says, fix });
