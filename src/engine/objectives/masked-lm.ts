/**
 * Masked language modelling (BERT, Devlin et al., 2019): some tokens are hidden (base/masking.ts), and the model predicts what all of
 * them were.
 */
import { TabtuneError } from '../../base/errors';
import { type Masking, maskTokens } from '../../base/masking';
import type { MaskedLmObjective } from '../../objectives/masked-lm';
import { madeOnce } from '../webgpu/live';
import { batchAs, lossOnly, type Objective, type ObjectiveInfo, type ObjectiveTwin } from './objective';
import { headLoss, liveTargets, padTargets } from './tokens';

export function maskedLm(
  mlm_probability: number,
  { maskTokenId, vocabSize }: Pick<ObjectiveInfo, 'maskTokenId' | 'vocabSize'>,
): Objective {
  if (maskTokenId === null) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: 'This model’s tokeniser has no mask token, so no token can be masked.',
      where: 'objective.type',
      action: 'Choose a masked language model such as BERT, or another objective.',
    });
  }
  const masking: Masking = { mlm_probability, maskTokenId, vocabSize };
  return {
    batches: 'hidden_tokens',
    likelihood: true,
    targets: (batch, draw) => maskTokens(batchAs(batch, 'hidden_tokens'), masking, draw).pairs.length,
    loss(pass, batch) {
      const { model, hidden } = pass.policy;
      if (model.kind !== 'encoder' || !model.heads.lm) {
        throw new TabtuneError({
          code: 'bad_model',
          message: `This ${model.family} model has no masked-language-modelling head, so it cannot predict masked tokens.`,
          where: 'model.source',
          action: 'Choose a checkpoint with that head (…ForMaskedLM), or another objective.',
        });
      }
      const own = batchAs(batch, 'hidden_tokens');
      const { batchSize, length } = own;
      const masked = madeOnce(() => maskTokens(own, masking, pass.draw));
      const rows = {
        batchSize,
        length,
        get ids() {
          return masked().ids;
        },
        get lengths() {
          return own.lengths;
        },
      };
      const targets = liveTargets(() => padTargets(rows, masked().pairs));
      return lossOnly(headLoss(pass, hidden(rows), targets), () => masked().pairs.length);
    },
  };
}

export const maskedLmTwin: ObjectiveTwin<MaskedLmObjective> = {
  type: 'masked_lm',
  create: ({ mlm_probability }, info) => maskedLm(mlm_probability, info),
};
