import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['events', 'shared', 'functions', 'infra', 'bin', 'test', 'bench'];
/** One source file; `path` from the root. */
export interface Source {
  path: string;
  text: string;
  /** The text without comments: what a comment says is no code. */
  code: string;
}

const read = (path: string): Source => {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { path, text, code: text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '') };
};

/** Every source file of the project. */
export const SOURCES = FOLDERS.flatMap((folder) => {
  try {
    return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|mjs|cjs)$/.test(entry.name))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'));
  } catch {
    return [];
  }
})
  .filter((path) => !/(^|\/)(node_modules|pattern-corpus|target|dist)\//.test(path))
  .map(read);

export const isTest = ({ path }: Source): boolean => path.endsWith('.test.ts');
export const isDeployed = (source: Source): boolean =>
  /^(events|shared|functions|infra)\/.*\.ts$/.test(source.path) && !/\/testdata\//.test(source.path) && !isTest(source);
export const layerOf = (path: string): string => path.split('/')[0] ?? '';

/** Relative imports, static and dynamic, of code and of types, as paths from the root. */
export function importsOf({ path, code }: Source): string[] {
  const specifiers = code.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)(['"`])(\.[^'"`]*)\1/g);
  return [...specifiers].map(([, , specifier = '']) =>
    normalize(join(dirname(path), specifier))
      .split(sep)
      .join('/'),
  );
}

/** Lines of code that a pattern matches, as `path: line`, for an error that says where to look. */
export const found = (sources: Source[], pattern: RegExp): string[] =>
  sources.flatMap(({ path, code }) => code.split('\n').flatMap((line) => (pattern.test(line) ? [`${path}: ${line.trim()}`] : [])));

export const except = (sources: Source[], allowed: Record<string, string>): Source[] =>
  sources.filter(({ path }) => allowed[path] === undefined);
