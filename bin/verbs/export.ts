import { loadRules } from '../../infra/remediations.ts';
import { exportVerb } from '../export-verb.ts';

export const verb = exportVerb(loadRules);
