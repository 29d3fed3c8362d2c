/**
 * The state of a self-instruct session as a value, and the steps that change it. What a round asks is a function of the seed,
 * of the round and of what was kept before, so that one that is continued asks the same as one that was never interrupted.
 */
import { permutation, Stream } from '../base/random';
import { emptyFunnel } from './funnel';
import { inputFirst, keepInstances, outputFirst } from './instances';
import { cutAt, refusedBy, splitInstructions } from './instructions';
import { instructionPrompt, MACHINE_SHOWN, type ModelPrompt, SHOWN } from './prompts';
import type { RougePool } from './rouge-pool';
import type { Nearest, SeedTask, SelfInstructDraft, SelfInstructSettings, WrittenTask } from './types';

/**
 * Those of the paper's code, but for the penalty. It asks for 2 of a model that can bear it; taken off line breaks and digits too, it
 * ends the list of a small one after two tasks (docs/SELF-INSTRUCT.md).
 */
export const defaultSettings: SelfInstructSettings = {
  num_instructions_to_generate: 50,
  temperature: 0.7,
  top_p: 0.5,
  presence_penalty: 0,
  max_tokens: 1024,
  request_batch_size: 5,
  use_clf_seed_tasks_only: false,
  include_seed_tasks: true,
  max_instances_to_generate: 5,
  seed: 42,
};

/** More similar than this to any other is no new instruction. */
export const MOST_SIMILAR = 0.7;
/** Rounds without anything new after which more of them are a waste. */
export const MOST_BARREN = 10;
const REMEMBERED = 40;

export const newDraft = (seeds: readonly SeedTask[], settings = defaultSettings): SelfInstructDraft => ({
  ...{ version: 1, settings, seeds: [...seeds], rounds: 0, barren: 0, tasks: [] },
  ...{ funnel: emptyFunnel(), dropped: [] },
});

/** The seed tasks that prompts show. */
export const promptSeeds = ({ seeds, settings }: SelfInstructDraft): SeedTask[] =>
  settings.use_clf_seed_tasks_only ? seeds.filter(({ classification }) => classification) : seeds;

export interface InstructionRequest {
  shown: string[];
}

/** What the next round asks. */
export function nextRequests(draft: SelfInstructDraft): InstructionRequest[] {
  const { settings, rounds } = draft;
  const human = promptSeeds(draft).map(({ instruction }) => instruction);
  const machine = draft.tasks.map(({ instruction }) => instruction);
  return Array.from({ length: settings.request_batch_size }, (_, i) => {
    // Three draws a prompt: which ones of the model, which ones of a person, and their order.
    const sub = 3 * (rounds * settings.request_batch_size + i);
    const some = (from: readonly string[], count: number, draw: number) =>
      Array.from(permutation(from.length, settings.seed, Stream.selfInstruct, sub + draw).subarray(0, count)).map(
        (index) => from[index]!,
      );
    const own = some(machine, MACHINE_SHOWN, 0);
    const both = [...own, ...some(human, SHOWN - own.length, 1)];
    return { shown: some(both, both.length, 2) };
  });
}

/** Fewer of the instructions, for a model that cannot read as much. */
export const requestPrompt = ({ shown }: InstructionRequest, settings: SelfInstructSettings, most = shown.length) =>
  instructionPrompt(shown.slice(0, most), settings.use_clf_seed_tasks_only);

/** What a model wrote. */
export interface RawAnswer {
  text: string;
  /** It ended because it had no room for more, and not by itself. */
  cut: boolean;
}

/** An answer as the API of the paper gives it: until a stop text, or until the model or its room ended. */
export function answerOf({ text, cut }: RawAnswer, { stops }: Pick<ModelPrompt, 'stops'>): RawAnswer {
  const found = cutAt(text, stops);
  return { text: found.text, cut: cut && !found.stopped };
}

/** The draft with the instructions of one answer; `pool` has all earlier ones, and gets those that are kept. */
export function withInstructions(
  draft: SelfInstructDraft,
  pool: RougePool,
  { text, cut }: RawAnswer,
  model: string,
): SelfInstructDraft {
  const written = splitInstructions(text);
  const { instructions } = draft.funnel;
  const counts = { ...instructions.dropped };
  const tasks: WrittenTask[] = [];
  const dropped = [...draft.dropped];
  for (const instruction of written) {
    const nearest = pool.nearest(instruction);
    const why = cut ? 'cut' : (refusedBy(instruction) ?? (tooSimilar(nearest) ? 'similar' : null));
    if (why === null) {
      pool.add(instruction);
      const { rounds: round, settings } = draft;
      tasks.push({
        ...{ instruction, round: round + 1, nearest, classification: null, instances: null },
        ...{ model, seed: settings.seed },
      });
    } else {
      counts[why]++;
      dropped.push({ text: instruction, why, ...(why === 'similar' && { nearest: nearest[0]! }) });
    }
  }
  return {
    ...draft,
    tasks: [...draft.tasks, ...tasks],
    dropped: dropped.slice(-REMEMBERED),
    funnel: {
      ...draft.funnel,
      instructions: { written: instructions.written + written.length, dropped: counts },
    },
  };
}

const tooSimilar = ([first]: readonly Nearest[]) => first !== undefined && first.score > MOST_SIMILAR;

/** The draft after a round that had so many tasks before. */
export const endRound = (draft: SelfInstructDraft, before: number): SelfInstructDraft => ({
  ...draft,
  rounds: draft.rounds + 1,
  barren: draft.tasks.length > before ? 0 : draft.barren + 1,
});

export const withClassification = (draft: SelfInstructDraft, index: number, classification: boolean) =>
  withTask(draft, index, { classification });

/** The draft with the examples of one answer. */
export function withInstances(draft: SelfInstructDraft, index: number, { text, cut }: RawAnswer): SelfInstructDraft {
  const task = draft.tasks[index]!;
  const read = task.classification ? outputFirst(text) : inputFirst(text);
  const { kept, written, dropped } = keepInstances(read, cut, draft.settings.max_instances_to_generate);
  const { instances } = draft.funnel;
  const counts = { ...instances.dropped };
  for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += dropped[name];
  return {
    ...withTask(draft, index, { instances: kept }),
    funnel: { ...draft.funnel, instances: { written: instances.written + written, dropped: counts } },
  };
}

function withTask(draft: SelfInstructDraft, index: number, change: Partial<WrittenTask>): SelfInstructDraft {
  return { ...draft, tasks: draft.tasks.map((task, i) => (i === index ? { ...task, ...change } : task)) };
}

/** Whether there is nothing more to do, and why. */
export function endOf({ tasks, settings, barren }: SelfInstructDraft): 'enough' | 'barren' | null {
  if (tasks.some(({ instances }) => instances === null)) return null;
  if (tasks.length >= settings.num_instructions_to_generate) return 'enough';
  return barren >= MOST_BARREN ? 'barren' : null;
}
