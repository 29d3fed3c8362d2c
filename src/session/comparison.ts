/** Compare's calls over the workers (comparison-types.ts). They run one after another: there is one GPU. */
import { TabtuneError } from '../base/errors';
import { exactMatch, rougeL } from '../metrics';
import { objectiveOf } from '../objectives';
import { BASE_TEXT_LOSS } from '../objectives/metrics';
import { defaultRecipe } from '../recipe/defaults';
import type { Recipe } from '../recipe/types';
import type { Remote } from '../rpc/rpc';
import { readMetrics } from '../storage/runs';
import type { RunRecord } from '../storage/types';
import type { AnswerJob, EngineApi } from '../workers/engine/api';
import { classifyWith } from './classify';
import { ComparedModels, type Found, keptCheckpoints, type ModelNeeds, untrained } from './compared-models';
import type {
  AskedColumn,
  ColumnAnswer,
  Comparison,
  DataOf,
  FewShot,
  Forgetting,
  HeldOutMeasure,
  ModelId,
  SplitPrompt,
} from './comparison-types';
import { initAdapterOf } from './continued';
import type { DataHost } from './data-host';
import type { DataSession } from './datasets';
import { learnedPrompts, type OpenSplit, openSplit, promptsOf } from './held-out';
import { deletePromptSet, listPromptSets, parsePromptSet, savePromptSet } from './prompt-sets';
import { StreamText } from './stream-text';
import { readVotes, writeVotes } from './votes';

export interface ComparisonNeeds extends ModelNeeds {
  data: DataHost;
  datasets: DataSession;
  continued(recipe: Recipe): Promise<Recipe>;
  /** Throws while a run uses the GPU. */
  ready<T>(work: () => Promise<T>): Promise<T>;
  /** For what needs storage alone. */
  stored<T>(work: () => Promise<T>): Promise<T>;
  /** Called before something of value is stored. */
  onSave(): void;
}

/** Tokens of a piece of base text: the same for all models, so that their losses can be compared. */
const BASE_TEXT_TOKENS = 256;
/** Answers that are compared with the data's, and how long they may be: enough to tell, few enough to wait for. */
const MEASURED_ANSWERS = 8;
const MEASURED_TOKENS = 64;
/** What a base without a chat template writes after its answer is the next example of its own making. */
const BETWEEN_EXAMPLES = '\n\n';

const badPrompt = (message: string, action: string) =>
  new TabtuneError({ code: 'bad_data', message, where: 'prompt', action });

export function createComparison(needs: ComparisonNeeds): Comparison {
  const { engine, data, models, datasets } = needs;
  const compared = new ComparedModels(needs);
  /** Loss on base text of the open model alone. */
  const baseLosses = new WeakMap<object, Map<string, number | null>>();
  let queue: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(() => needs.ready(work));
    queue = result.catch(() => {});
    return result;
  };

  /** The engine with these models on the GPU. */
  const using = <T>(found: readonly Found[], work: (api: Remote<EngineApi>) => Promise<T>): Promise<T> =>
    engine.use(async (api) => {
      await compared.hold(api, found);
      return work(api);
    });

  /** All of them at once, or one after another where they do not fit together. */
  async function eachOf(
    found: readonly Found[],
    signal: AbortSignal | undefined,
    work: (api: Remote<EngineApi>, which: readonly number[]) => Promise<void>,
  ): Promise<boolean> {
    const all = found.map((_, i) => i);
    if (await compared.fitTogether(found)) {
      await using(found, (api) => work(api, all));
      return false;
    }
    for (const i of all) {
      if (signal?.aborted) break;
      await using([found[i]!], (api) => work(api, [i]));
    }
    return true;
  }

  const recipeOf = async (of: DataOf): Promise<{ recipe: Recipe; run: RunRecord | null }> => {
    if ('recipe' in of) return { recipe: of.recipe, run: null };
    const run = await compared.run(of.runId);
    return { recipe: run.recipe, run };
  };
  const openData = async (of: DataOf): Promise<OpenSplit> => {
    const { recipe, run } = await recipeOf(of);
    return openSplit(needs, recipe, run);
  };

  async function encoded(
    { shots }: Pick<AskedColumn, 'shots'>,
    { text, system }: Pick<SplitPrompt, 'text' | 'system'>,
  ) {
    const { tokenizer, info } = models.require();
    const ids = await data.encodePrompt(tokenizer, text, system, shots);
    if (ids.length === 0) throw badPrompt('The prompt is empty.', 'Enter a prompt.');
    if (ids.length < info.contextLength) return ids;
    const message = `The prompt has ${ids.length} tokens, but ${info.title} can read at most ${info.contextLength}.`;
    throw badPrompt(message, shots?.length ? 'Use fewer examples, or shorten the prompt.' : 'Shorten the prompt.');
  }

  /** What a base says of a text, under the head that the first of the others began with. */
  function baseForLabels(found: readonly Found[]): { found: Found; strength: number } {
    const first = found.find(({ on }) => on !== null);
    if (!first) return { found: { on: null, from: null, bytes: 0, run: null }, strength: 0 };
    if (first.run?.task) return { found: untrained(first.run.task, first.run.recipe), strength: 0 };
    // Of an adapter from files, only the trained head is known.
    return { found: first, strength: 0 };
  }

  async function baseText(recipe: Pick<Recipe, 'model' | 'dataset'>) {
    const { tokens } = models.require();
    const text = await datasets.someBaseText(recipe, BASE_TEXT_TOKENS);
    return { baseText: text, padTokenId: tokens.padTokenId, maskTokenId: tokens.maskTokenId };
  }

  /** Held-out prompts with an answer in the data, for a model that writes; empty for others. */
  async function answerable(opened: OpenSplit): Promise<SplitPrompt[]> {
    const writes =
      objectiveOf(opened.recipe.objective).learns === 'answers' && models.require().info.kind === 'decoder';
    if (!writes) return [];
    const { heldOut } = await promptsOf(opened, new Set());
    return heldOut.filter(({ expected }) => expected !== undefined).slice(0, MEASURED_ANSWERS);
  }

  /** How close a model's answers come to those in the data. */
  async function scoredAnswers(
    found: Found,
    prompts: readonly SplitPrompt[],
    onAnswer: (done: number) => void,
    signal?: AbortSignal,
  ): Promise<HeldOutMeasure['answers']> {
    if (prompts.length === 0) return null;
    const { tokenizer, tokens } = models.require();
    let [overlap, exact] = [0, 0];
    for (const [i, prompt] of prompts.entries()) {
      const job: AnswerJob = {
        ...{ on: found.on, strength: 1, prompt: await encoded({}, prompt), stopTokenIds: tokens.stopTokenIds },
        ...{ maxNewTokens: MEASURED_TOKENS, temperature: 0, topP: 1, seed: 0 },
      };
      const [answer] = await using([found], (api) => api.answer([job], () => {}, signal));
      if (signal?.aborted) throw new TabtuneError({ code: 'cancelled', message: 'The measurement was cancelled.' });
      const text = answer instanceof Int32Array ? await data.decode(tokenizer, answer) : '';
      overlap += rougeL(text, prompt.expected!).f1;
      exact += exactMatch(text, prompt.expected!);
      onAnswer(i + 1);
    }
    return { count: prompts.length, rougeL: overlap / prompts.length, exactMatch: exact / prompts.length };
  }

  return {
    kept: (runId) => needs.stored(() => keptCheckpoints(runId)),
    promptSets: () => needs.stored(listPromptSets),
    savePromptSet(set) {
      needs.onSave();
      return needs.stored(() => savePromptSet(set));
    },
    deletePromptSet: (name) => needs.stored(() => deletePromptSet(name)),
    votes: () => needs.stored(readVotes),
    saveVotes(votes) {
      needs.onSave();
      return needs.stored(() => writeVotes(votes));
    },
    async readPromptSet(file) {
      const name = file.name.replace(/\.[^.]*$/, '');
      return { name, prompts: parsePromptSet(await file.text(), file.name) };
    },

    split: (of, others = []) =>
      inTurn(async () => {
        const learned = new Set<string>();
        const doubts: string[] = [];
        for (const runId of others) {
          try {
            for (const prompt of await learnedPrompts(await openData({ runId }))) learned.add(prompt);
          } catch {
            doubts.push(
              'The data of another column are not stored here any more, so that one may have learned from these.',
            );
          }
        }
        // Last: prompts for a model without a chat template are written as the data that were tokenised last.
        const split = await promptsOf(await openData(of), learned);
        return { ...split, doubt: split.doubt ?? doubts[0] ?? null };
      }),

    fewShot: (prompt, shots, room) =>
      inTurn(async () => {
        const { tokenizer, info } = models.require();
        let fitting = [...shots];
        for (;;) {
          const ids = await data.encodePrompt(tokenizer, prompt.text, prompt.system, fitting);
          if (fitting.length === 0 || ids.length + room <= info.contextLength) {
            return { shots: fitting, tokens: ids.length, text: await data.decode(tokenizer, ids) } satisfies FewShot;
          }
          // The longest costs most.
          const longest = fitting.reduce((most, one) => (lengthOf(one) > lengthOf(most) ? one : most));
          fitting = fitting.filter((one) => one !== longest);
        }
      }),

    answer: (columns, prompt, options, onText, signal) =>
      inTurn(async () => {
        const { tokenizer, tokens, info } = models.require();
        const { stopTokenIds } = tokens;
        const answers: ColumnAnswer[] = columns.map(() => ({ text: '' }));
        const found: Found[] = [];
        const prompts: Int32Array[] = [];
        for (const column of columns) {
          found.push(await compared.find(column.model));
          prompts.push(await encoded(column, prompt));
        }
        const shown = ({ shots }: AskedColumn, text: string) =>
          shots?.length && !info.hasChatTemplate ? text.trimStart().split(BETWEEN_EXAMPLES)[0]! : text;
        const inTurn = await eachOf(found, signal, async (api, which) => {
          const streams = which.map(
            (i) =>
              new StreamText(
                (ids) => data.decode(tokenizer, ids),
                (text) => onText(i, shown(columns[i]!, text)),
              ),
          );
          const jobs = which.map(
            (i): AnswerJob => ({
              ...options,
              ...columns[i]!.sampling,
              ...{ on: found[i]!.on, strength: columns[i]!.strength, prompt: prompts[i]!, stopTokenIds },
            }),
          );
          const written = await api.answer(jobs, (column, id) => streams[column]!.push(id), signal);
          for (const [n, answer] of written.entries()) {
            const i = which[n]!;
            if (answer instanceof Int32Array) {
              answers[i] = { text: shown(columns[i]!, await streams[n]!.finish(answer)) };
            } else answers[i] = { text: '', error: answer };
          }
        });
        return { answers, inTurn };
      }),

    classify: (columns, text, signal) =>
      inTurn(async () => {
        const answers: ColumnAnswer[] = columns.map(() => ({ text: '' }));
        const given: Found[] = [];
        for (const { model } of columns) given.push(await compared.find(model));
        const asked = given.map((found, i) =>
          found.on === null ? baseForLabels(given) : { found, strength: columns[i]!.strength },
        );
        const inTurn = await eachOf(
          asked.map(({ found }) => found),
          signal,
          async (api, which) => {
            for (const i of which) {
              if (signal?.aborted) return;
              const { found, strength } = asked[i]!;
              const scores = await classifyWith(needs, text, (ids) => api.classifyOn(found.on, ids, strength));
              answers[i] = { text: '', scores };
            }
          },
        );
        return { answers, inTurn };
      }),

    measure: (model, of, onProgress, signal) =>
      inTurn(async () => {
        const opened = await openData(of);
        const { recipe, tokenized } = opened;
        // Those with a reference; others compare answers with each other only.
        const referred = 'precompute_ref_log_probs' in recipe.objective;
        if (referred && initAdapterOf(recipe) !== null) {
          throw new TabtuneError({
            code: 'bad_data',
            message:
              'This run was compared with the adapter that it continued, so its loss can only be measured during the run.',
            action: 'Look at the evaluations of the run itself, or compare answers.',
          });
        }
        const { tokens } = models.require();
        const { validation, task } = tokenized;
        if (validation.length === 0) {
          throw new TabtuneError({
            code: 'bad_data',
            message: 'Nothing is held out of these data, so there is nothing to measure on.',
            where: 'dataset.validation_split',
            action: 'Set a validation split above 0 and train again.',
          });
        }
        const found = await compared.find(model);
        const headless = found.on === null && task !== null && objectiveOf(recipe.objective).labels !== null;
        const measured = headless ? untrained(task, recipe) : found;
        const job = {
          ...{ examples: validation, objective: recipe.objective, task },
          ...{ maskTokenId: tokens.maskTokenId, padTokenId: tokens.padTokenId },
          batchSize: recipe.training.per_device_train_batch_size,
        };
        const prompts = await answerable(opened);
        const steps = validation.length + prompts.length;
        const share = validation.length / steps;
        const result = await using([measured], (api) =>
          api.measureExamples(measured.on, job, (done, total) => onProgress(share * done, total), signal),
        );
        const answers = await scoredAnswers(measured, prompts, (i) => onProgress(validation.length + i, steps), signal);
        return { ...result, rows: validation.map(({ row }) => row), answers };
      }),

    forgetting: (model, signal) =>
      inTurn(async () => {
        const found = await compared.find(model);
        const known = found.run && (await measuredInRun(found.run, model));
        if (known) return known;
        const open = models.require();
        const recipe = found.run?.recipe ?? {
          ...defaultRecipe(),
          model: { source: open.source, quantization: open.quantization },
        };
        const text = await baseText(recipe);
        const key = recipe.dataset.base_text ?? '';
        const losses = baseLosses.get(open) ?? new Map<string, number | null>();
        baseLosses.set(open, losses);
        if (!losses.has(key)) {
          losses.set(key, await using([found], (api) => api.baseTextLoss(null, text, signal)));
        }
        const before = losses.get(key)!;
        const after = await using([found], (api) => api.baseTextLoss(found.on, text, signal));
        return before === null || after === null ? null : ({ before, after, from: 'now' } satisfies Forgetting);
      }),

    changes: (model, onProgress, signal) =>
      inTurn(async () => {
        const found = await compared.find(model);
        const changes = await using([found], (api) => api.layerChanges(found.on, onProgress, signal));
        return changes.map((one) => ({ ...one, relative: one.weight > 0 ? one.change / one.weight : 0 }));
      }),
  };
}

const lengthOf = ({ text, expected }: { text: string; expected: string }) => text.length + expected.length;

/** What the run itself has measured at the step that this model is of; null if it has not. */
async function measuredInRun(run: RunRecord, model: ModelId): Promise<Forgetting | null> {
  const rows = await readMetrics(run.id);
  const measured = rows.flatMap((row) => {
    const loss = row.kind === 'eval' ? row.metrics?.[BASE_TEXT_LOSS.name] : undefined;
    return loss === undefined ? [] : [{ step: row.step, loss }];
  });
  const step = model.endsWith('@latest') ? run.step : (run.bestStep ?? run.step);
  const before = measured.find((one) => one.step === 0);
  const after = measured.findLast((one) => one.step === step);
  return before && after && after.step > 0 ? { before: before.loss, after: after.loss, from: 'run' } : null;
}
