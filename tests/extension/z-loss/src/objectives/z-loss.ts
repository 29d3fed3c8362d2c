/** Supervised fine-tuning with z-loss (PaLM, Chowdhery et al., 2022). The loss is in src/engine/objectives/z-loss.ts. */
import type { ObjectiveDescriptor } from './objective';
import { type SftObjective, sft } from './sft';

export interface ZLossObjective extends Omit<SftObjective, 'type'> {
  type: 'z_loss';
  /** Weight of log²Z, Z being the sum that the softmax divides by. */
  z_loss_weight: number;
}

const asSft = (section: ZLossObjective): SftObjective => ({ ...section, type: 'sft' });

export const zLoss: ObjectiveDescriptor<ZLossObjective> = {
  ...sft,
  type: 'z_loss',
  label: 'Supervised fine-tuning with z-loss',
  order: 15,
  fields: {
    ...sft.fields,
    z_loss_weight: {
      kind: 'number',
      label: 'Z-loss',
      help: 'Weight of log²Z, which keeps the logits small.',
      default: 1e-4,
      min: 0,
      max: 1,
      step: 1e-4,
      usual: [1e-5, 1e-3],
      source: 'PaLM',
    },
  },
  data: (section) => sft.data(asSft(section)),
  pace: undefined,
  answerTokens: undefined,
  unused: undefined,
  notes: undefined,
  refusals: undefined,
  modelRefusals: (section, model) => sft.modelRefusals!(asSft(section), model),
  remark: (section) => sft.remark!(asSft(section)),
};
