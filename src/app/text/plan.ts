/** English of the plan in words, on top of the run card. */
import type { Verdict } from '../../hub/descriptions';

/** What a part of the sentence is about, which decides the page that it links to. */
export type PlanPlace = 'model' | 'goal' | 'data' | 'kept' | 'time' | 'memory';

/** A piece of the sentence; with `to` it is a link. */
export interface PlanPart {
  text: string;
  to?: PlanPlace;
}

const places: Record<PlanPlace, string> = {
  model: 'Change the model',
  goal: 'Change the goal',
  data: 'Change the data',
  kept: 'Change how much is kept to check',
  time: 'Change how long it trains',
  memory: 'Change what memory it takes',
};

const fits: Record<Verdict, string> = {
  fits: 'fits this GPU',
  tight: 'tight on this GPU',
  too_big: 'too big for this GPU',
  unknown: 'it is not known whether it fits',
};

/** A renderer in software uses the computer's own memory. */
const fitsInSoftware: Record<Verdict, string> = {
  fits: 'fits this computer’s memory',
  tight: 'tight in this computer’s memory',
  too_big: 'too big for this computer’s memory',
  unknown: fits.unknown,
};

export const planText = {
  title: 'Plan',
  places,
  teach: 'Teach ',
  end: '.',
  next: '; ',
  earn: 'to earn more reward',
  on: ' on ',
  prefer: 'to prefer the better answers',
  answer: 'to answer',
  like: ' like ',
  read: 'to read',
  sort: 'to sort',
  mark: 'to label',
  rate: 'to predict a number for',
  tag: 'to tag the words of',
  judge: 'to score answers',
  from: ' from ',
  space: ' ',
  into: (classes: string) => ` into ${classes}`,
  withAny: (labels: string) => ` with any of ${labels}`,
  withTags: (tags: string) => ` with ${tags}`,
  yours: (things: string) => `your ${things}`,
  builtin: (things: string, name: string) => `the ${things} of ${name}`,
  kept: (count: string, one: boolean) => `${count} ${one ? 'is' : 'are'} kept to check`,
  noneKept: 'none are kept to check',
  about: (time: string) => `about ${time}`,
  moment: 'less than a second',
  timeUnknown: 'time not measured yet',
  fit: (verdict: Verdict, software: boolean) => (software ? fitsInSoftware : fits)[verdict],
  fromData: (what: string) => `The goal follows your data: ${what}`,
  pairs:
    'Pairs of a better and a worse answer: only the better ones are learned. The goal “Prefer better answers” learns from the difference.',
  software: {
    title: 'Your browser renders in software',
    text: ': tens to hundreds of times slower than a GPU, with the same result. If this computer has one, turn on hardware acceleration in the browser’s settings.',
  },
};

/** English of the advice on the model. */
export const adviceText = {
  tooSmall: (title: string) => `${title} is too small for these data`,
  size: (parameters: string) =>
    `It has ${parameters} parameters and has only learned to continue simple texts. Trained on yours, it will write nonsense: answers like these take a model of about 100M parameters or more.`,
  spells: (tokens: string) => `It does not know your words: it needs ${tokens} tokens for each, where 1.3 is usual.`,
  cut: (examples: string, tokens: string, one: boolean) =>
    `${examples} ${one ? 'is' : 'are'} longer than the ${tokens} tokens that it can read.`,
  offer: 'A model worth talking to',
  what: (title: string, bits: boolean) => `${title}${bits ? ', in four bits' : ''}: `,
  toDownload: (bytes: string, time: string | null) =>
    `about ${bytes} to download${time === null ? '' : `, about ${time} at the speed that your browser reports`}`,
  downloaded: 'already downloaded',
  memory: (bytes: string) => `; ${bytes} of memory to train`,
  training: (time: string) => `; about ${time} to train, estimated from the open model`,
  slow: 'On a software renderer it can take hours.',
  look: (title: string) => `Look at ${title}`,
  nothingYet: 'Nothing is downloaded until you say so.',
  offline: 'Larger models come from the Hugging Face Hub. You are offline now.',
};
