/** The pattern is malformed, or EventBridge would not do what it seems to say. The message names the path. */
export class PatternError extends Error {
  override name = 'PatternError';
}
