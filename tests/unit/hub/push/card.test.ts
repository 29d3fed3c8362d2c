/** The Hub refuses a commit for one field of README.md: what is pushed has a card that it accepts. */
import { describe, expect, it } from 'vitest';
import { modelCard } from '../../../../src/exports/model-card';
import { fitCard } from '../../../../src/hub/push/card';
import { defaultRecipe } from '../../../../src/recipe/defaults';
import { asks, filesOf, freshHub, pushed, server, strike, Tab } from './stage';

freshHub();

const card = (front: string) => new TextEncoder().encode(`---\n${front}\n---\n\n# Pirate\n\nlicense: in the text\n`);
const readme = () => new TextDecoder().decode(pushed().files['README.md']);

async function push(front: string) {
  return new Tab().push({ files: filesOf({ 'README.md': card(front) }) });
}

describe('a card is pushed', () => {
  it('as it is if the Hub accepts it', async () => {
    const front = 'base_model: "org/base"\nlicense: "mit"\ntags:\n- "base_model:adapter:org/base"\n- "tabtune"';
    expect((await push(front)).notes).toEqual([]);
    expect(readme()).toBe(new TextDecoder().decode(card(front)));
  });

  it('without a base model that the Hub cannot know, and its tag', async () => {
    const { notes } = await push(
      'base_model: "my folder"\nbase_model_relation: finetune\nlicense: "MIT"\ntags:\n- "base_model:adapter:my folder"\n- "tabtune"',
    );
    expect(notes).toEqual([expect.stringContaining('The card names “my folder” in its text only')]);
    expect(readme()).toContain('---\nlicense: "mit"\ntags:\n- "tabtune"\n---\n');
    expect(readme()).toContain('license: in the text');
  });

  it('with “other” for a licence that is not on the Hub’s list', async () => {
    const { notes } = await push('license: "Model Licence, v2"');
    expect(notes).toEqual([expect.stringContaining('has no “model licence, v2”')]);
    expect(readme()).toContain('---\nlicense: other\nlicense_name: "model-licence-v2"\n---\n');
  });

  it('without other fields that the Hub refuses', async () => {
    const { notes } = await push('pipeline_tag: pirate-speech\nlicense: "gemma"');
    expect(notes).toEqual([expect.stringContaining('pipeline_tag (“pirate-speech”)')]);
    expect(readme()).toContain('---\nlicense: "gemma"\n---\n');
  });

  it('to a mirror that judges no cards', async () => {
    strike(asks('validate-yaml'), { status: 404 });
    expect((await push('base_model: "org/base"')).notes).toEqual([]);
  });

  it('as Tabtune writes it for the built-in model', async () => {
    const text = modelCard({
      ...{ name: 'pirate', baseModel: 'stories', licence: 'MIT', recipe: defaultRecipe(), family: 'llama' },
      ...{ initialEvalLoss: 3, bestEvalLoss: 2, bestStep: 1, finalLoss: 2, steps: 1, tokens: 1, seconds: 1 },
      ...{ trainableParameters: 1, totalParameters: 2, device: 'x', version: '1' },
    });
    await new Tab().push({ files: filesOf({ 'README.md': new TextEncoder().encode(text) }) });
    expect(readme().slice(0, readme().indexOf('# pirate'))).toBe(
      '---\nlibrary_name: peft\nlicense: "mit"\npipeline_tag: text-generation\ntags:\n- "lora"\n- "sft"\n- "tabtune"\n---\n\n',
    );
    expect(server.writes.messages).toHaveLength(1);
  });
});

it('a card that cannot be made acceptable is refused before anything is sent, with the Hub’s words', async () => {
  const judge = async () => ['"weather" is required'];
  await expect(fitCard(new TextDecoder().decode(card('license: "mit"')), judge)).rejects.toMatchObject({
    code: 'access',
    where: 'README.md',
    details: '"weather" is required',
  });
  // Never for ever.
  const never = async () => ['"license" must be nicer'];
  await expect(fitCard(new TextDecoder().decode(card('license: "mit"')), never)).rejects.toMatchObject({
    where: 'README.md',
  });
});

it('a file without front matter stays as it is', async () => {
  expect(await fitCard('# Only text\n', async () => ['x'])).toEqual({ text: '# Only text\n', notes: [] });
});
