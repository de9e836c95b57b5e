/** What stays possible although every proof holds, for the page of this remediation. */
export const RISKS = [
  'A field manager is a claim: who may create Secrets in the namespace of a pipeline can create revisions that look like helm-operator made them. Alone they never lead to a write. The status of the pipeline must say that its release is deployed, a recognised operator must run, in a version with this defect, and the spec must cause it. What remains: on such a pipeline, which its operator upgrades at every reconciliation anyway, forged revisions can bring the annotation forward. Its effect is a period of 1h; changes of the spec are still reconciled at once.',
  'The audit log is not asked who wrote the revisions: facts about single objects do not name a writer.',
  'Who may create Deployments can forge a second operator, or who may create Secrets a gap in the revisions. Both prevent the fix, and the report says so.',
  'The role may list Secrets. kubemend requests their metadata only, but RBAC cannot express metadata-only access: whoever steals the token can read the data of Secrets where the role is bound.',
];
