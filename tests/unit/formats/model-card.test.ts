import { describe, expect, it } from 'vitest';
import { type ModelCardInput, modelCard } from '../../../src/formats/model-card';
import { resolveRecipe } from '../../../src/recipe/defaults';

const recipe = resolveRecipe({ version: 1, dataset: { max_length: 256 } });
const input: ModelCardInput = {
  name: 'pirate-chat',
  baseModel: 'org/stories',
  licence: 'mit',
  recipe,
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

  it('gives the figures of the run', () => {
    const card = modelCard(input);
    expect(card).toContain('| Validation loss before training | 3.0000 (perplexity 20.09) |');
    expect(card).toContain('| Best validation loss | 2.0000 at step 40 (perplexity 7.39) |');
    expect(card).toContain('| Tokens seen | 1,234,567 |');
    expect(card).toContain('| Training time | 1 h 2 min 5 s |');
    expect(card).toContain('| Trained parameters | 12,345 of 1,234,500 (1.00 %) |');
    expect(card).toContain('| Device | nvidia ampere |');
  });

  it('leaves out what is not known', () => {
    const card = modelCard({ ...input, licence: null, initialEvalLoss: null, bestEvalLoss: null, finalLoss: null });
    expect(card).not.toContain('license:');
    expect(card).not.toMatch(/loss \|/i);
  });

  it('holds the recipe as JSON that can be taken out again', () => {
    const name = 'fences ``` and ~~~~\n````\n</pre>';
    const card = modelCard({ ...input, name, recipe: { ...recipe, name } });
    const [, fence, json] = /\n(`{3,})json\n([\s\S]*?)\n\1\n/.exec(card)!;
    expect(fence).toBe('`````');
    expect(JSON.parse(json!)).toEqual({ ...recipe, name });
  });

  it("lets nothing of a stranger's text become markup", () => {
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
    // A row of the table keeps its three bars.
    const row = body.split('\n').find((line) => line.startsWith('| Device'))!;
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(3);
  });
});
