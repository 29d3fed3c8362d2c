/** Continued pretraining in other trainers. TRL runs it as instruction tuning on plain text, which only the file's name tells. */
import type { PretrainingObjective } from '../../../objectives/pretraining';
import type { ConfigReader, TypeConversion } from '../types';

const isPlainText = (at: ConfigReader): boolean => {
  if (at('pretraining_dataset') !== undefined) return true;
  const datasets = at('datasets');
  const types = Array.isArray(datasets) ? datasets.map((one) => (one as { type?: unknown } | null)?.type) : [];
  return types.length > 0 && types.every((type) => type === 'completion' || type === 'pretrain');
};

export const pretraining: TypeConversion<PretrainingObjective> = {
  type: 'pretraining',
  in: {
    axolotl: { marks: () => ({}), is: (at) => at('rl') === undefined && isPlainText(at), fields: {} },
    llamafactory: { marks: () => ({ stage: 'pt' }), is: (at) => at('stage') === 'pt', fields: {} },
    trl: { marks: () => ({}), is: (_at, hint) => /\bpretraining\b/.test(hint), fields: {} },
  },
};
