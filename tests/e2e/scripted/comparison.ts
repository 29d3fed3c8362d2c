/** What the scripted session compares: its answers come word by word, and its measures follow formulas. */
import type { LoadedAdapter } from '../../../src/session/api';
import type {
  AskedColumn,
  Comparison,
  ModelId,
  PromptSet,
  SplitPrompt,
  Vote,
} from '../../../src/session/comparison-types';
import { parsePromptSet } from '../../../src/session/prompt-sets';
import type { RunRecord } from '../../../src/storage/types';
import { scoresOf } from './classes';
import { answers } from './metrics';
import { sleep } from './sleep';

interface World {
  stepMs: number;
  records: readonly RunRecord[];
  adapters(): LoadedAdapter[];
  layers(): number;
}

const heldOut: SplitPrompt[] = answers.map(([text, , expected], i) => ({ row: i + 1, text, expected }));
const trained: SplitPrompt[] = [
  { row: 3, text: 'What is rope?', expected: 'Arr, rope be what holds a ship together, matey!' },
  { row: 4, text: 'What is tea?', expected: 'A warm drink for a cold watch, arr!' },
];

export function createScriptedComparison({ stepMs, records, adapters, layers }: World): Comparison {
  const sets = new Map<string, PromptSet>();
  let votes: readonly Vote[] = [];
  const objectiveOf = (model: ModelId) =>
    adapters().find(({ id }) => id === model)?.objective ??
    records.find(({ id }) => model.startsWith(`run:${id}`))?.recipe.objective.type;
  const sentence = ({ model, strength, shots }: AskedColumn, prompt: string) => {
    const [, base, tuned] = answers.find(([asked]) => asked === prompt) ?? answers[0]!;
    return (model !== 'base' && strength > 0) || shots?.length ? tuned : base;
  };
  return {
    kept: async (runId) => {
      const run = records.find(({ id }) => id === runId);
      if (!run?.bestStep) return [];
      const best = { slot: 'best' as const, step: run.bestStep, createdAt: run.createdAt };
      return run.step === run.bestStep ? [best] : [best, { slot: 'latest', step: run.step, createdAt: run.updatedAt }];
    },
    split: async () => ({
      dataset: 'pirate-chat.jsonl',
      ...{ heldOut, trained },
      heldOutTotal: heldOut.length,
      trainedTotal: trained.length,
      doubt: null,
    }),
    fewShot: async (prompt, shots) => ({
      shots: [...shots],
      tokens: 40 + 30 * shots.length,
      text: [...shots.flatMap(({ text, expected }) => [text, expected]), prompt.text].join('\n'),
    }),
    async answer(columns, { text }, _options, onText, signal) {
      // Samples differ by their seeds: some end early.
      const words = columns.map((column) => {
        const all = sentence(column, text).split(' ');
        return column.sampling ? all.slice(0, all.length - (column.sampling.seed % 4)) : all;
      });
      const longest = Math.max(...words.map(({ length }) => length));
      for (let i = 1; i <= longest && !signal?.aborted; i++) {
        await sleep(stepMs);
        words.forEach((own, column) => {
          if (i <= own.length) onText(column, own.slice(0, i).join(' '));
        });
      }
      return { answers: words.map((own) => ({ text: own.join(' ') })), inTurn: false };
    },
    async classify(columns, given) {
      const text = typeof given === 'string' ? given : given.answer;
      await sleep(stepMs * 4);
      const objective = columns.map(({ model }) => objectiveOf(model)).find(Boolean);
      return {
        answers: columns.map(({ model, strength }) => ({
          text: '',
          scores: scoresOf(objective, text, model === 'base' ? 0 : strength),
        })),
        inTurn: false,
      };
    },
    async measure(model, _of, onProgress) {
      for (let i = 1; i <= 4; i++) {
        await sleep(stepMs);
        onProgress(i, 4);
      }
      const loss = model === 'base' ? 3.1 : 1.62;
      const answers = { count: 2, rougeL: model === 'base' ? 0.21 : 0.48, exactMatch: 0 };
      const losses = Float32Array.from([0.4, -0.2], (d) => loss + (model === 'base' ? -d : d));
      return { loss, perplexity: Math.exp(loss), losses, rows: [1, 2], metrics: {}, answers };
    },
    async forgetting() {
      await sleep(stepMs);
      return { before: 1.84, after: 2.06, from: 'now' };
    },
    votes: async () => [...votes],
    async saveVotes(all) {
      votes = all;
    },
    promptSets: async () => [...sets.values()],
    async savePromptSet(set) {
      sets.set(set.name, set);
      return set.name;
    },
    readPromptSet: async (file) => ({ name: file.name, prompts: parsePromptSet(await file.text(), file.name) }),
    async deletePromptSet(name) {
      sets.delete(name);
    },
    async changes(model) {
      await sleep(stepMs);
      const modules = ['self_attn.q_proj', 'self_attn.v_proj', 'mlp.down_proj'];
      return Array.from({ length: layers() }, (_, layer) =>
        modules.map((module, i) => {
          const relative = (0.01 + 0.004 * layer + 0.006 * i) * (model.length % 2 ? 1 : 1.3);
          const weight = 10 + i;
          return {
            ...{ name: `model.layers.${layer}.${module}.weight`, layer, relative },
            ...{ change: relative * weight, weight },
          };
        }),
      ).flat();
    },
  };
}
