/**
 * Reward models beside what trains on the open model: what a run left behind here, or an adapter from files. They share the base's
 * weights, are only read, and score token ids, so that no text is made of them and read again.
 */
import { TabtuneError } from '../../base/errors';
import { withoutPadding } from '../../data/trailing-padding';
import { rewardHead, rewardScores } from '../../engine/classification/reward-scores';
import type { NamedTensors } from '../../engine/methods/tensors';
import type { AnswerToScore } from '../../engine/objectives/objective';
import { readFloats } from '../../engine/webgpu/backend';
import type { AdapterFiles } from '../../formats/adapter-format';
import { getRun } from '../../storage/runs';
import { openAdapter } from './adapters';
import { type Ground, type Held, hooksOf } from './held';
import { openRun } from './open-run';

/** Where a reward model comes from: `run:ID`, or `file:NAME` of an adapter that the page has sent along. */
export type RewardSource = string;

export interface RewardModelOptions extends Ground {
  /** The recipe's `model.source`: a run is only opened on the model that it was trained on. */
  model: string;
  /** The adapters of `file:` sources. */
  files: Readonly<Record<RewardSource, AdapterFiles>>;
  padTokenId: number;
}

export class RewardModels {
  private constructor(
    private readonly opened: ReadonlyMap<RewardSource, Held>,
    private readonly padTokenId: number,
  ) {}

  /** Opens each source once. Throws, with nothing left open, if one cannot be used. */
  static async open(sources: readonly RewardSource[], options: RewardModelOptions): Promise<RewardModels> {
    const opened = new Map<RewardSource, Held>();
    const models = new RewardModels(opened, options.padTokenId);
    try {
      for (const source of sources) {
        if (opened.has(source)) continue;
        const held = await openSource(source, options);
        opened.set(source, held);
        rewardHead(held.model);
      }
    } catch (error) {
      models.dispose();
      throw error;
    }
    return models;
  }

  /** The scores of answers with their prompts, in their order. */
  scores(source: RewardSource, answers: readonly Pick<AnswerToScore, 'prompt' | 'ids'>[]): Promise<Float32Array> {
    const held = this.opened.get(source);
    if (!held) throw new Error(`The reward model ${source} was not opened.`);
    const sequences = answers.map(({ prompt, ids }) => {
      const whole = new Int32Array(prompt.ids.length + ids.length);
      whole.set(prompt.ids);
      whole.set(ids, prompt.ids.length);
      return withoutPadding(whole, this.padTokenId);
    });
    return rewardScores(held.model, hooksOf(held, 1), sequences);
  }

  /** What the first of them has learned, by name; null without one. */
  async learned(): Promise<NamedTensors | null> {
    const [first] = this.opened.values();
    if (!first?.method) return null;
    const tensors: NamedTensors = new Map();
    for (const [name, tensor] of first.method.trainable) {
      tensors.set(name, { shape: tensor.shape, data: await readFloats(tensor) });
    }
    return tensors;
  }

  dispose(): void {
    for (const held of this.opened.values()) held.dispose();
  }
}

async function openSource(source: RewardSource, options: RewardModelOptions): Promise<Held> {
  const { base, head, files, model } = options;
  if (!source.startsWith('run:')) {
    const found = files[source];
    if (found) return openAdapter(base, found, head);
    throw gone(`The adapter ${source.replace(/^file:/, '')} is not open in this tab.`, 'Open its folder or zip first.');
  }
  const runId = source.slice('run:'.length);
  const run = await getRun(runId);
  if (!run) throw gone(`There is no run ${runId} in this browser.`, 'Choose a run that is stored here.');
  if (run.recipe.model.source !== model) {
    throw gone(
      `“${run.name}” was trained on ${run.recipe.model.source}, and this run trains ${model}.`,
      'A reward model works on the model that it was trained on: choose that one, or another reward model.',
    );
  }
  return openRun(runId, run.recipe, options);
}

const gone = (message: string, action: string) =>
  new TabtuneError({ code: 'bad_adapter', message, where: 'objective.rewards', action });
