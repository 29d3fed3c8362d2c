/**
 * Masked language modelling (BERT, Devlin et al., 2019), as transformers' DataCollatorForLanguageModeling draws it:
 * each token that is not special is chosen with mlm_probability; of the chosen, 80 % become the mask token, 10 % a
 * random token, 10 % stay, and the model predicts what all of them were.
 *
 * The draw is a function of (seed, pass, position): Philox with the counter (position in the batch, pass, 0, masking
 * stream), one word each for whether, what and which. So each pass masks different tokens, a resumed run the same ones,
 * and evaluation, with zeros for both, always the same.
 */
import { TabtuneError } from '../../base/errors';
import { philox4x32, Stream } from '../../base/random';
import type { HiddenTokensBatch } from '../../data/types';
import type { MaskedLmObjective } from '../../objectives/masked-lm';
import { batchAs, lossOnly, type Objective, type ObjectiveInfo, type ObjectiveTwin } from './objective';
import { headLoss, padTargets } from './tokens';

export interface Masking {
  mlm_probability: number;
  maskTokenId: number;
  vocabSize: number;
}

export interface Masked {
  ids: Int32Array;
  /** Indices of the chosen tokens, and what they were. */
  pairs: [number, number][];
}

const share = (word: number) => (word >>> 8) / 2 ** 24;

export function maskTokens(batch: HiddenTokensBatch, masking: Masking, { seed = 0, pass = 0 }): Masked {
  const { batchSize, length, lengths, special } = batch;
  const ids = batch.ids.slice();
  const pairs: [number, number][] = [];
  for (let b = 0; b < batchSize; b++) {
    for (let i = b * length; i < b * length + Math.min(length, lengths[b]!); i++) {
      if (special[i]) continue;
      const [whether, what, which] = philox4x32([i, pass, 0, Stream.masking], [seed >>> 0, 0]);
      if (share(whether) >= masking.mlm_probability) continue;
      pairs.push([i, batch.ids[i]!]);
      if (share(what) < 0.8) ids[i] = masking.maskTokenId;
      else if (share(what) < 0.9) ids[i] = Math.floor(share(which) * masking.vocabSize);
    }
  }
  return { ids, pairs };
}

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
      const { ids, pairs } = maskTokens(own, masking, pass.draw);
      return lossOnly(headLoss(pass, hidden({ ...own, ids }), padTargets(own, pairs)), pairs.length);
    },
  };
}

export const maskedLmTwin: ObjectiveTwin<MaskedLmObjective> = {
  type: 'masked_lm',
  create: ({ mlm_probability }, info) => maskedLm(mlm_probability, info),
};
