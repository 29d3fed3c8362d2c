import { describe, expect, it } from 'vitest';
import { type MergedCardInput, mergedCard } from '../../../src/exports/merged-card';
import { mlxCard } from '../../../src/exports/mlx/card';
import { type ModelCardInput, modelCard } from '../../../src/exports/model-card';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { MethodType, ObjectiveType } from '../../../src/recipe/types';

const recipe = resolveRecipe({ version: 1, dataset: { max_length: 256 } });
const input: ModelCardInput = {
  name: 'pirate-chat',
  baseModel: 'org/stories',
  licence: 'mit',
  recipe,
  family: 'llama',
  initialEvalLoss: 3,
  bestEvalLoss: 2,
  bestStep: 40,
  finalLoss: 1.5,
  steps: 60,
  tokens: 1_234_567,
  seconds: 3725,
  trainableParameters: 12_345,
  totalParameters: 1_234_500,
  device: 'nvidia ampere',
  version: '0.1.0',
};

describe('modelCard', () => {
  it('has the front matter that the Hub reads', () => {
    const front = modelCard(input).split('---\n')[1]!;
    expect(front.split('\n')).toEqual([
      'base_model: "org/stories"',
      'library_name: peft',
      'license: "mit"',
      'pipeline_tag: text-generation',
      'tags:',
      '- "base_model:adapter:org/stories"',
      '- "lora"',
      '- "sft"',
      '- "tabtune"',
      '',
    ]);
  });

  it('gives the metrics of the run', () => {
    const card = modelCard(input);
    expect(card).toContain('| Validation loss before training | 3.0000 (perplexity 20.09) |');
    expect(card).toContain('| Best validation loss | 2.0000 at step 40 (perplexity 7.39) |');
    expect(card).toContain('| Tokens seen | 1,234,567 |');
    expect(card).toContain('| Training time | 1 h 2 min 5 s |');
    expect(card).toContain('| Trained parameters | 12,345 of 1,234,500 (1.00 %) |');
    expect(card).toContain('| Device | nvidia ampere |');
    expect(card).not.toContain('Other data');
  });

  it('says from where on the run learned from other data or on another model', () => {
    expect(modelCard({ ...input, changedAt: [4, 20] })).toContain('| Other data or another model | since step 20 |');
  });

  it('leaves out what is unknown', () => {
    const card = modelCard({ ...input, licence: null, initialEvalLoss: null, bestEvalLoss: null, finalLoss: null });
    expect(card).not.toContain('license:');
    expect(card).not.toMatch(/loss \|/i);
  });

  it('contains the recipe as JSON that can be extracted again', () => {
    const name = 'fences ``` and ~~~~\n````\n</pre>';
    const card = modelCard({ ...input, name, recipe: { ...recipe, name } });
    const [, fence, json] = /\n(`{3,})json\n([\s\S]*?)\n\1\n/.exec(card)!;
    expect(fence).toBe('`````');
    expect(JSON.parse(json!)).toEqual({ ...recipe, name });
  });

  it('lets no untrusted text become markup', () => {
    const evil = 'a\n---\nlicense: x\n# <script>alert(1)</script> [x](javascript:y) `z` | "q" \\';
    const card = modelCard({ ...input, name: evil, baseModel: evil, device: evil, licence: evil });
    const front = card.split('\n---\n')[0]!;
    expect(front.split('\n')).toHaveLength(10);
    expect(JSON.parse(/^base_model: (.*)$/m.exec(front)![1]!)).toBe(evil);
    const body = card.slice(front.length).replace(/`{3,}json[\s\S]*/, '');
    expect(body).not.toMatch(/^# <script>/m);
    const outsideCode = body.replace(/```[\s\S]*?```/g, '').replace(/(?<!\\)(`+)[^`].*?[^`]\1(?!`)/g, '');
    expect(outsideCode).toContain('alert');
    expect(outsideCode).not.toMatch(/(?<!\\)[<[`]/);
    expect(outsideCode.match(/^# /gm)).toHaveLength(1);
    expect(body.match(/^base = (.*)$/m)![1]).toBe(JSON.stringify(evil));
    // A table row keeps its three bars.
    const row = body.split('\n').find((line) => line.startsWith('| Device'))!;
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(3);
  });

  const cardOf = (method: MethodType, objective: ObjectiveType) =>
    modelCard({
      ...input,
      recipe: resolveRecipe({ version: 1, method: { type: method }, objective: { type: objective } }),
      labels: ['bad', 'good "enough"'],
      metrics: { accuracy: 0.9375 },
    });

  it('shows how to load a classifier with its labels', () => {
    const card = cardOf('ia3', 'sequence_classification');
    expect(card).toContain('pipeline_tag: text-classification');
    expect(card).toContain('An (IA)³ adapter for `org/stories`');
    expect(card).toContain('labels = ["bad", "good \\"enough\\""]');
    expect(card).toContain('AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(labels)');
    expect(card).toContain('| `accuracy` | 0.9375 |');
    // A classifier's loss is not over tokens.
    expect(card).not.toContain('perplexity');
    expect(card).not.toContain('apply_chat_template');
  });

  it('says what is multiplied into B, and nothing where the file has the recipe’s scales', () => {
    const lora = (method: Record<string, unknown>) =>
      modelCard({ ...input, recipe: resolveRecipe({ version: 1, method: { type: 'lora', ...method } }) });
    expect(lora({})).not.toContain('multiplied into B');
    expect(lora({ use_rslora: true })).toContain('In the file, rsLoRA’s scale is multiplied into B');
    expect(lora({ alpha_pattern: { q_proj: 3 } })).toContain('the alphas of `alpha_pattern` are multiplied into B');
  });

  it('claims of llama.cpp only what was tried', () => {
    const lora = (family: string, method: Record<string, unknown> = {}, objective: ObjectiveType = 'sft') =>
      modelCard({
        ...input,
        family,
        recipe: resolveRecipe({ version: 1, method: { type: 'lora', ...method }, objective: { type: objective } }),
      });
    expect(lora('qwen3')).toContain('`convert_lora_to_gguf.py` converts it');
    // GPT-2's Conv1D is turned round by the converter, and A and B with it.
    expect(lora('gpt2')).toContain('the wrong way round');
    expect(lora('qwen3', { use_dora: true })).toContain('it knows no DoRA');
    expect(lora('qwen3', { modules_to_save: ['lm_head'] })).toContain('trained in full (`lm_head`)');
    expect(lora('qwen3', {}, 'sequence_classification')).not.toContain('llama.cpp');
    expect(lora('bert', {}, 'masked_lm')).not.toContain('llama.cpp');
    expect(cardOf('ia3', 'sft')).not.toContain('llama.cpp');
  });

  it('gives vLLM’s command with a rank that holds all of the file’s, and says why where there is none', () => {
    const lora = (method: Record<string, unknown>, changes: Partial<ModelCardInput> = {}) =>
      modelCard({
        ...input,
        ...changes,
        recipe: resolveRecipe({ version: 1, method: { type: 'lora', ...method } }),
      });
    const rank = (card: string) => Number(/--max-lora-rank (\d+)/.exec(card)?.[1]);
    expect(lora({ r: 16 })).toContain(
      '`vllm serve org/stories --enable-lora --max-lora-rank 16 --lora-modules pirate-chat=.`',
    );
    expect(rank(lora({ r: 1 }))).toBe(1);
    expect(rank(lora({ r: 5 }))).toBe(8);
    expect(rank(lora({ r: 4, rank_pattern: { q_proj: 20 } }))).toBe(32);
    expect(rank(lora({ r: 20, init_lora_weights: 'pissa' }))).toBe(64);
    expect(rank(lora({ r: 200 }))).toBe(256);
    expect(lora({ use_dora: true })).toContain('**vLLM** cannot use it: it knows no DoRA');
    expect(lora({ modules_to_save: ['lm_head'] })).toContain('**vLLM** cannot use it: it does not take modules');
    expect(lora({}, { family: 'gpt2' })).toContain('**vLLM** cannot use it: its GPT-2 takes none.');
    expect(lora({}, { baseModel: "it's a folder" })).toContain(`vllm serve 'it'\\''s a folder' --enable-lora`);
    for (const other of [cardOf('prompt_tuning', 'sft'), cardOf('lora', 'sequence_classification')])
      expect(other).not.toMatch(/vLLM|mlx-lm|llama\.cpp/);
  });

  it('names the data and the licence, and shows what the comparison of the files found', () => {
    const proof = {
      ...{
        texts: 8,
        tokens: 300,
        maxLogitDifference: 1.25e-6,
        largestLogit: 12.3456,
        sameChoices: 299,
        unproven: null,
        carried: 0.9991,
        rounding: null,
      },
      perplexity: { before: 20, after: 20.3 },
    };
    const card = modelCard({ ...input, proof });
    expect(card).toContain('It learned from `builtin:pirate-chat`, 10 % of it held out for validation.');
    expect(card).toContain('is under the licence `mit`');
    expect(modelCard({ ...input, licence: null })).toContain('is not known here');
    expect(card).toContain('on 300 tokens of 8 texts:');
    expect(card).toContain('| Largest difference of a logit | 1.3e-6; the largest logit is 12.3 |');
    expect(card).toContain('| Same most likely next token | after 299 of 300 tokens |');
    expect(card).toContain('| Perplexity before and after | 20 and 20.3 (+1.50 %) |');
    const none = {
      ...proof,
      unproven: 'no_room' as const,
      carried: null,
      rounding: null,
      maxLogitDifference: null,
      largestLogit: null,
      sameChoices: null,
      perplexity: null,
    };
    expect(modelCard({ ...input, proof: none })).toContain('no room for both at once');
  });

  it('for mlx-lm has its command and its Python', () => {
    const card = mlxCard({ ...input, baseModel: 'my base', notes: ['Ranks are filled up.'] });
    expect(card).toContain('library_name: mlx\n');
    expect(card).toContain("mlx_lm.generate --model 'my base' --adapter-path . --prompt");
    expect(card).toContain('load("my base", adapter_path=".")');
    expect(card).toContain('Ranks are filled up.');
    expect(card).toContain('## Recipe');
  });

  it('shows how to load a bottleneck adapter with AdapterHub’s library', () => {
    const card = cardOf('bottleneck', 'masked_lm');
    expect(card).toContain('library_name: adapter-transformers');
    expect(card).toContain('model.load_adapter(adapter, use_safetensors=True)');
    expect(card).toContain('AutoModelForMaskedLM');
    expect(card).not.toContain('peft import');
  });
});

describe('mergedCard', () => {
  const folder = { family: 'llama', files: ['tokenizer.json'], knownTokenizer: null, tokenizerClass: null };
  const merged = (type: MethodType, changes: Partial<MergedCardInput['folder']> = {}) =>
    mergedCard({
      folder: { ...folder, ...changes },
      name: 'pirate-chat-merged',
      run: { ...input, recipe: resolveRecipe({ version: 1, method: { type } }) },
      base: 'Stories',
      licence: 'mit',
      adapter: true,
      dtype: 'bfloat16',
      stored: 'BF16',
      proof: {
        ...{
          texts: 4,
          tokens: 300,
          maxLogitDifference: 1e-3,
          largestLogit: 12,
          sameChoices: 299,
          unproven: null,
          carried: 0.9991,
          rounding: null,
        },
        perplexity: { before: 10, after: 10.1 },
      },
    });

  it('says of llama.cpp what is true of this folder', () => {
    const takes = /convert_hf_to_gguf\.py` turns it into a GGUF file/;
    expect(merged('lora')).toMatch(takes);
    expect(merged('lora', { knownTokenizer: false })).toContain('does not know the tokeniser');
    expect(merged('lora', { family: 'gemma2' })).toContain('needs the base model’s `tokenizer.model`');
    expect(merged('lora', { family: 'gemma2', files: ['tokenizer.json', 'tokenizer.model'] })).toMatch(takes);
    // Phi-4 is of Phi-3's family, with GPT-2's kind of tokenizer.
    expect(merged('lora', { family: 'phi3' })).not.toMatch(takes);
    expect(merged('lora', { family: 'phi3', tokenizerClass: 'GPT2Tokenizer' })).toMatch(takes);
    expect(merged('lora', { family: 'bert' })).not.toContain('llama.cpp');
  });

  it('says what was done to the base model', () => {
    expect(merged('lora')).toContain('`org/stories` with a LoRA adapter merged in, in bfloat16');
    expect(merged('lora')).toContain('compared with the base with its adapter, on 300 tokens of 4 texts:');
    expect(merged('lora')).toContain('| Same most likely next token | after 299 of 300 tokens |');
    expect(merged('lora')).toContain('| Perplexity before and after | 10 and 10.1 (+1.00 %) |');
    expect(merged('full')).toContain('`org/stories` with all weights trained, in bfloat16');
    expect(merged('full')).toContain('compared with the model in memory, on');
    expect(merged('full')).toContain('pipeline_tag: text-generation');
  });
});
