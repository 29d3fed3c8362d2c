import { describe, expect, it, vi } from 'vitest';
import { turn } from '../../support/time';
import { freshStages, greedy, hanging, open, train } from './fresh-stage';
import { recipe } from './stage';

freshStages();

describe('the model', () => {
  it('opens with progress', async () => {
    const progress = vi.fn();
    const info = await open.session.openModel('builtin:stories', progress);
    expect(info).toMatchObject({ title: 'Stories 2M', hasChatTemplate: true });
    expect(info.linearModules).toContain('q_proj');
    expect(progress).toHaveBeenCalledWith(1, 2);
  });

  it('is refused within seconds if its template never ends, and the next one opens', async () => {
    const prompt = hanging('encodePrompt');
    const opening = open.session.openModel('builtin:stories').catch((cause: unknown) => cause);
    await prompt.pass(10_500);
    expect(open.dataWorkers[0]!.terminated).toBe(true);
    expect(await opening).toMatchObject({ code: 'timeout', action: expect.stringContaining('choose another model') });
    expect(open.engine.calls).toEqual([]);
    expect((await open.session.openModel('builtin:stories')).title).toBe('Stories 2M');
  });

  it('is reloaded after a crash, but only when it is needed', async () => {
    await open.session.openModel('builtin:stories');
    open.engine.crash();
    await turn();
    expect(open.engine.workers).toHaveLength(1);
    await open.session.generate('Hi', greedy, () => {});
    expect(open.engine.calls).toEqual(['loadModel builtin:stories', 'loadModel builtin:stories', 'generate']);
  });

  it('is reloaded for a run only if the run needs another precision', async () => {
    await open.session.openModel('builtin:stories');
    await train(recipe({ model: { quantization: 'nf4' } }));
    await train(recipe({ model: { quantization: 'nf4' } }));
    expect(open.engine.calls.filter((call) => call.startsWith('loadModel'))).toEqual([
      'loadModel builtin:stories',
      'loadModel builtin:stories nf4',
    ]);
  });

  it('is checked before it is stored', async () => {
    const files = [{ path: 'mine/config.json', file: new File(['{}'], 'config.json') }];
    await expect(open.session.importModel(files)).rejects.toMatchObject({ code: 'bad_model' });
    expect((await open.session.storage()).items).toEqual([]);
  });
});

describe('an encoder', () => {
  it('opens, and refuses a run that needs generated text', async () => {
    open.engine.kind = 'encoder';
    expect(await open.session.openModel('builtin:stories')).toMatchObject({ kind: 'encoder', layers: 6 });
    const { blockers, totalSteps } = await open.session.forecast(recipe());
    expect(totalSteps).toBe(0);
    expect(blockers).toHaveLength(1);
    expect(blockers[0]).toMatchObject({
      code: 'bad_model',
      message: 'Stories 2M reads text but does not generate it, so it cannot learn from examples of answers.',
      where: 'objective.type',
    });
    await expect(open.session.train(recipe())).rejects.toMatchObject({ code: 'bad_model', where: 'objective.type' });
    expect(open.engine.stints).toHaveLength(0);
  });
});
