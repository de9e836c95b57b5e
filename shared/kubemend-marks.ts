/** The name of our writes in `managedFields` and in the audit log. */
export const FIELD_MANAGER = 'kubemend';
/** Marks what a `create` step made, so that our own object is recognised. */
export const INCIDENT_ANNOTATION = 'kubemend.dev/incident';
