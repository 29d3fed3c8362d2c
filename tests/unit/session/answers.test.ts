import { describe, expect, it } from 'vitest';
import { freshStages, greedy, open } from './fresh-stage';
import { recipe } from './stage';

freshStages();

describe('an answer', () => {
  it('streams the whole text so far', async () => {
    await open.session.openModel('builtin:stories');
    const { train } = await open.session.tokenize(recipe());
    open.engine.answers = [...train[0]!.ids].slice(4, 12);
    const seen: string[] = [];
    const text = await open.session.generate('Hello', greedy, (soFar) => seen.push(soFar));
    expect(text).toMatch(/\w/);
    expect(seen.at(-1)).toBe(text);
    expect(seen.length).toBeGreaterThan(1);
    for (const soFar of seen) expect(text.startsWith(soFar)).toBe(true);
    expect(open.engine.lastStrength).toBe(0.5);
  });

  it('stops when aborted and returns the text so far', async () => {
    await open.session.openModel('builtin:stories');
    open.engine.answers = [300, 300, 300];
    open.engine.endless = true;
    const controller = new AbortController();
    const answer = open.session.generate('Hello', greedy, () => controller.abort(), controller.signal);
    expect((await answer).length).toBeGreaterThan(0);
    expect(await open.session.generate('Hello', greedy, () => {}, AbortSignal.abort())).toBe('');
  });

  it('needs a prompt that fits in the context', async () => {
    await open.session.openModel('builtin:stories');
    const long = 'word '.repeat(2000);
    await expect(open.session.generate(long, greedy, () => {})).rejects.toMatchObject({
      code: 'bad_data',
      where: 'prompt',
    });
  });
});

describe('embeddings', () => {
  it('are computed from the tokens of each text, truncated to the context', async () => {
    await open.session.openModel('builtin:stories');
    const long = 'once upon a time there was a little boat '.repeat(200);
    expect(await open.session.embed(['Hello there', long])).toEqual([Float32Array.of(0, 1), Float32Array.of(1, 1)]);
    const { texts, options } = open.engine.embedded!;
    expect(options).toEqual({ mode: 'mean', normalize: false, adapterStrength: 1 });
    expect(texts[0]!.length).toBeGreaterThan(1);
    expect(texts[1]).toHaveLength(512);
  });

  it('need a model', async () => {
    await expect(open.session.embed(['Hello'])).rejects.toMatchObject({ code: 'bad_model' });
  });
});
