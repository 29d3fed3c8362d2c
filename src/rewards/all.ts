import { avoids } from './avoids';
import { contains } from './contains';
import { exactAnswer } from './exact-answer';
import { javascript } from './javascript';
import { jsonValid } from './json-valid';
import { length } from './length';
import { regex } from './regex';
import { repetitionPenalty } from './repetition-penalty';
import { rewardModel } from './reward-model';
import { thinkFormat } from './think-format';

/** In the order of the screen. */
export const all = [
  exactAnswer,
  regex,
  jsonValid,
  contains,
  avoids,
  length,
  thinkFormat,
  repetitionPenalty,
  rewardModel,
  javascript,
] as const;
