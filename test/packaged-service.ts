import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unzip } from './unzip.ts';

type Properties = Record<string, unknown>;

/** What `npm run package` made. */
export interface PackagedService {
  resources: Record<string, { Type: string; Properties: Properties }>;
  /** The resources of one type, by logical id, in the template's order. */
  ofType(type: string): [id: string, properties: Properties][];
  /** The files of one function's archive by path. Throws for an unknown function. */
  archive(functionKey: string): Map<string, Buffer>;
  functionKeys: string[];
  /** The template's file. */
  template: string;
}

/** A statement of an IAM or resource policy. */
export interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Principal?: unknown;
  Condition?: unknown;
}

/** Runs `npm run package` into a folder below `folder`, which is also its home: no credentials, no profile, no region, nothing but a PATH. */
export async function packageService(folder: string, path: string): Promise<PackagedService> {
  return packageWith(folder, path, 'package', ['npm', 'run', 'package', '--']);
}

/** Only the template again, of what was built, with settings of a deployment. */
export async function packageAgain(folder: string, path: string, settings: Record<string, string>): Promise<PackagedService> {
  return packageWith(folder, path, 'package-again', ['npx', 'serverless', 'package'], settings);
}

async function packageWith(
  folder: string,
  path: string,
  name: string,
  [command = '', ...args]: string[],
  settings: Record<string, string> = {},
): Promise<PackagedService> {
  const to = join(folder, name);
  const options = { cwd: join(import.meta.dirname, '..'), env: { PATH: path, HOME: folder, ...settings } };
  await promisify(execFile)(command, [...args, '--package', to], options).catch((error) => {
    throw new Error(`${command} ${args.join(' ')} failed:\n${error.stdout}\n${error.stderr}`);
  });
  return readPackage(to);
}

/** What osls wrote into a folder. */
export async function readPackage(to: string): Promise<PackagedService> {
  const template = join(to, 'cloudformation-template-update-stack.json');
  const resources = JSON.parse(await readFile(template, 'utf8')).Resources as PackagedService['resources'];
  const archives = new Map<string, Map<string, Buffer>>();
  for (const file of (await readdir(to)).filter((name) => name.endsWith('.zip'))) {
    archives.set(file.replace(/\.zip$/, ''), unzip(await readFile(join(to, file))));
  }
  return {
    ...{ resources, template },
    ofType: (type) => Object.entries(resources).flatMap(([id, { Type, Properties }]) => (Type === type ? [[id, Properties]] : [])),
    archive(key) {
      const files = archives.get(key);
      if (!files) throw new Error(`There is no archive of ${key}, only of ${[...archives.keys()].join(', ')}`);
      return files;
    },
    functionKeys: [...archives.keys()].sort(),
  };
}

/** All policy statements anywhere inside. */
export const statementsOf = (value: unknown): Statement[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) => (key === 'Statement' ? (inner as Statement[]) : statementsOf(inner)));

/** The logical id in `Fn::GetAtt`. */
export const attributeOf = (value: unknown): string => (value as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];

/** A module of an archive. */
export const isCode = (file: string): boolean => file.endsWith('.mjs');
/** Bytes of code in an archive: what is loaded at once, and what is loaded when it is needed. */
export const codeOf = (files: Map<string, Buffer>): number =>
  [...files].reduce((sum, [file, { length }]) => sum + (isCode(file) ? length : 0), 0);
