/** As far as it is used here: its own types name a package that it does not bring. */
declare module '@secretlint/secretlint-rule-preset-recommend' {
  interface Context {
    createTranslator(messages: unknown): (message: string, values?: unknown) => unknown;
    report(finding: { range: [number, number] }): void;
  }
  export const rules: {
    meta: { id: string };
    create(context: Context, options: object): { file(source: { content: string; contentType: 'text' }): unknown };
  }[];
}
