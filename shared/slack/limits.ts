/**
 * What Slack takes, in characters, as its block reference and @slack/types 3.2.0 document it. `blocksTotal` is not documented: messages of
 * about 13,200 characters over all blocks are refused (`msg_blocks_too_long`, slackapi/bolt-js#2509).
 */
export const LIMITS = {
  blocks: 50,
  blocksTotal: 12_000,
  header: 150,
  section: 3_000,
  field: 2_000,
  fields: 10,
  contextElements: 10,
  context: 2_000,
  actions: 25,
  actionId: 255,
  button: 75,
  buttonValue: 2_000,
  confirmTitle: 100,
  confirmText: 300,
  confirmButton: 30,
  /** Slack cuts at 40,000; up to here it shows everything everywhere. */
  text: 4_000,
  cutAt: 40_000,
} as const;
