/*
 * The scopes that budgets and breakers count in. The name of its remediation stands in each but `overall`, at a fixed place:
 * a store can keep what a remediation counts in a partition of its own, which no other remediation may write.
 */

/** The one scope that all remediations share. */
export const OVERALL = 'overall';

/** Of one object: `key` is that of its incidents, and begins with the remediation (`open.ts`). */
export const objectScope = (key: string): string => `object/${key}`;

/** Of one remediation in one cluster. */
export const remediationScope = (remediation: string, cluster: string): string => `remediation/${remediation}/${cluster}`;

/** Whether a remediation counts in a scope. What another one recorded there is not to be believed. */
export const countsIn = (remediation: string, scope: string): boolean =>
  scope === OVERALL || scope.startsWith(`object/${remediation}/`) || scope.startsWith(`remediation/${remediation}/`);
