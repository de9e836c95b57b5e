// Jest's transform: Node's own type stripping keeps every position, so no source maps are needed.
import { stripTypeScriptTypes } from 'node:module';

export default { process: (source) => ({ code: stripTypeScriptTypes(source) }) };
