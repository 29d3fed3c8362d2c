/** What a preset is. */
import type { ObjectiveType } from '../objectives';
import type { RecipeInput } from './types';

export interface Preset {
  id: string;
  name: string;
  /** One sentence on when to choose it. */
  text: string;
  source: { title: string; url: string };
  /** What the source has and this recipe does not. */
  differs?: string;
  /** The goals that it is meant for. */
  for: readonly ObjectiveType[];
  changes: Pick<RecipeInput, 'method' | 'training' | 'objective'> & {
    model?: Pick<NonNullable<RecipeInput['model']>, 'quantization'>;
    dataset?: Pick<NonNullable<RecipeInput['dataset']>, 'validation_split' | 'packing' | 'max_length'>;
  };
}
