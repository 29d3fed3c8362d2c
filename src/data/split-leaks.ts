/** Splits examples as the recipe says, also about texts and prompts that would stand on both sides. */
import type { DatasetSection } from '../recipe/sections';
import { findLeaks, finish, togetherKeys } from './near-duplicates';
import type { ProblemList } from './problems';
import { ownSplit, type Split, type Splittable, splitDataset } from './split';
import type { Example } from './types';

type SplitSection = Pick<DatasetSection, 'validation_split' | 'shuffle'> &
  // A recipe from an older version does not have it.
  Partial<Pick<DatasetSection, 'validation_leaks'>>;

/** `examples` are those of `splittable`. What was moved or left out is among `problems`. */
export function splitWithoutLeaks(
  examples: readonly Example[],
  splittable: Splittable,
  section: SplitSection,
  seed: number,
  problems: ProblemList,
): Split {
  const how = section.validation_leaks ?? 'allow';
  if (how === 'allow' || section.validation_split === 0) return splitDataset(splittable, section, seed, problems);
  return how === 'one_side'
    ? onOneSide(examples, splittable, section, seed, problems)
    : withoutLeaks(examples, splittable, section, seed, problems);
}

const UNDO = [{ label: 'Undo', set: { 'dataset.validation_leaks': undefined } }];

const done = (problems: ProblemList, code: string, message: string, action: string) =>
  problems.add({ severity: 'warning', code, message, action, dropped: false, choices: UNDO });

const count = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** Groups of what is alike are drawn as one. Where the file has a split, its validation examples that are alike move to training. */
function onOneSide(...[examples, splittable, section, seed, problems]: Parameters<typeof splitWithoutLeaks>): Split {
  const splitKeys = finish(togetherKeys(examples, splittable.splitKeys));
  const own = ownSplit(splittable.sides);
  if (own) {
    const learned = new Set(own.train.map((i) => splitKeys[i]));
    const validation = own.validation.filter((i) => !learned.has(splitKeys[i]));
    const moved = own.validation.filter((i) => learned.has(splitKeys[i]));
    if (moved.length > 0) {
      done(
        problems,
        'leaks_moved',
        `${count(moved.length, 'validation example')} moved to training: ${moved.length === 1 ? 'its' : 'their'} text or prompt is trained on as well.`,
        `${count(validation.length, 'example is', 'examples are')} left to validate on.`,
      );
    }
    return { train: [...own.train, ...moved].sort((a, b) => a - b), validation };
  }
  const sizes = new Map<string, number>();
  for (const key of splitKeys) sizes.set(key, (sizes.get(key) ?? 0) + 1);
  const groups = [...sizes.values()].filter((size) => size > 1);
  if (groups.length > 0) {
    const alike = groups.reduce((sum, size) => sum + size, 0);
    done(
      problems,
      'kept_together',
      `${count(alike, 'example')} in ${count(groups.length, 'group')} are alike in text or prompt: each group stands on one side of the split.`,
      'The validation loss is of texts that were not seen.',
    );
  }
  return splitDataset({ ...splittable, splitKeys }, section, seed, problems);
}

function withoutLeaks(...[examples, splittable, section, seed, problems]: Parameters<typeof splitWithoutLeaks>): Split {
  const { train, validation } = splitDataset(splittable, section, seed, problems);
  const on = (indices: readonly number[]) => indices.map((i) => examples[i]!);
  const leaks = new Set(finish(findLeaks(on(train), on(validation))).map(({ row }) => row));
  if (leaks.size === 0) return { train, validation };
  const kept = validation.filter((i) => !leaks.has(examples[i]!.row));
  done(
    problems,
    'leaks_left_out',
    `${count(validation.length - kept.length, 'validation example')} left out: ${validation.length - kept.length === 1 ? 'its' : 'their'} text or prompt is trained on as well.`,
    `${count(kept.length, 'example is', 'examples are')} left to validate on.`,
  );
  return { train, validation: kept };
}
