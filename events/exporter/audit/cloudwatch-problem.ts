/** What to do about an error of FilterLogEvents, as a sentence. */
export function cloudwatchProblem(error: unknown, group: string, cluster: string): string {
  const { name, message } = error as Error;
  const denied =
    (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 403 || name === 'AccessDeniedException';
  if (name === 'ResourceNotFoundException')
    return `the log group ${group} does not exist in this region and account. If ${cluster} is the cluster's name, turn on its audit log: ${enable(cluster)}`;
  if (name === 'ExpiredTokenException' || name === 'UnrecognizedClientException' || name === 'CredentialsProviderError')
    return `AWS does not take the exporter's credentials (${message}): give its ServiceAccount a role by EKS Pod Identity or IRSA.`;
  if (denied)
    return `reading is not allowed (${message}): allow logs:FilterLogEvents on arn:aws:logs:REGION:ACCOUNT:log-group:${group}:* to the exporter's role.`;
  if (name === 'ThrottlingException')
    return 'FilterLogEvents is throttled: reading goes on more slowly. Other readers of the account share its quota.';
  return `${name}: ${message}`;
}

/** The command that makes EKS write audit events into CloudWatch Logs. */
export const enable = (cluster: string): string =>
  `aws eks update-cluster-config --name ${cluster} --logging '{"clusterLogging":[{"types":["audit"],"enabled":true}]}'`;
