import type { Counted } from './counted.ts';
import type { Rule } from './rules.ts';

/** How a reducer is set up. */
export interface ReducerOptions {
  cluster: string;
  rules: Rule[];
  /** Prefixes of kubemend's own user names: their writes never count. */
  ownUsers?: string[];
  /** Most written objects counted at once. Default 100,000. */
  keyCap?: number;
  /** Most entries of all of them: about 150 bytes each. Default 400,000. */
  entryCap?: number;
  /** Told of everything that moves a window, in order: `restore` takes it after a restart. */
  onCounted?(counted: Counted): void;
}
