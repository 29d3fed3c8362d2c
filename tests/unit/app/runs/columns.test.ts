import { describe, expect, it } from 'vitest';
import {
  bestRuns,
  columns,
  entriesOf,
  matching,
  modelNameOf,
  noFilters,
  shownColumns,
  sorted,
  tagsIn,
  tagsOf,
} from '../../../../src/app/components/runs/columns';
import { resolveRecipe } from '../../../../src/recipe/defaults';
import type { RecipeInput } from '../../../../src/recipe/types';
import type { RunInputs, RunRecord } from '../../../../src/storage/types';
import { bestOfLatest } from '../../../../src/stores/runs';
import { runRecord } from '../../stores/fake-session';

let made = 0;
const run = (id: string, change: Partial<RunRecord> = {}, input: Partial<RecipeInput> = {}): RunRecord =>
  runRecord({ id, name: id, createdAt: ++made, recipe: resolveRecipe({ version: 1, ...input }), ...change });

const titles = new Map([['stories', 'Stories 2M']]);
const entries = (...runs: RunRecord[]) => entriesOf(runs, titles, {});
const idsOf = (list: { run: RunRecord }[]) => list.map((entry) => entry.run.id);

/** Inputs whose examples have this hash. */
const examples = (sha256: string) => ({ inputs: { examples: { sha256, bytes: 1 } } as RunInputs });

describe('order', () => {
  const old = run('old', { createdAt: 1, bestEvalLoss: 2, name: 'run 10' });
  const middle = run('middle', { createdAt: 2, bestEvalLoss: null, name: 'run 9' });
  const fresh = run('fresh', { createdAt: 3, bestEvalLoss: 1, name: 'Run 2' });
  const list = entries(old, middle, fresh);
  const by = (column: string, descending: boolean) => idsOf(sorted(list, { column, descending }));

  it('is by date, names or numbers, either way', () => {
    expect(by('date', true)).toEqual(['fresh', 'middle', 'old']);
    expect(by('date', false)).toEqual(['old', 'middle', 'fresh']);
    expect(by('name', false)).toEqual(['fresh', 'middle', 'old']);
    expect(by('loss', false)).toEqual(['fresh', 'old', 'middle']);
  });

  it('puts what has no value last, whichever way', () => {
    expect(by('loss', true)).toEqual(['old', 'fresh', 'middle']);
  });

  it('puts pinned runs first, and equal ones by their age', () => {
    const pinned = run('pinned', { createdAt: 0, pinned: true, bestEvalLoss: 9 });
    expect(idsOf(sorted(entries(old, fresh, pinned), { column: 'loss', descending: false }))[0]).toBe('pinned');
    const same = [run('a', { createdAt: 1, bestEvalLoss: 1 }), run('b', { createdAt: 2, bestEvalLoss: 1 })];
    expect(idsOf(sorted(entries(...same), { column: 'loss', descending: true }))).toEqual(['b', 'a']);
  });

  it('knows every column, and falls back to the date for one that it does not know', () => {
    for (const { id } of columns) expect(by(id, true), id).toHaveLength(3);
    expect(by('a column of another version', true)).toEqual(['fresh', 'middle', 'old']);
  });
});

describe('filters', () => {
  const list = entries(
    run('pirates', { tags: ['keep', 'voice'], note: 'answers are short' }),
    run('letters', { status: 'failed' }, { dataset: { source: 'file:letters.csv' } }),
    run('hub', {}, { model: { source: 'hf:HuggingFaceTB/SmolLM2-135M-Instruct' }, method: { type: 'full' } }),
  );
  const found = (change: Partial<typeof noFilters>) => idsOf(matching(list, { ...noFilters, ...change }));

  it('find words in the name, note, tags, data, model, method and status', () => {
    expect(found({ text: 'SHORT keep' })).toEqual(['pirates']);
    expect(found({ text: 'letters.csv' })).toEqual(['letters']);
    expect(found({ text: 'smollm2' })).toEqual(['hub']);
    expect(found({ text: 'full fine' })).toEqual(['hub']);
    expect(found({ text: 'failed' })).toEqual(['letters']);
    expect(found({ text: 'short letters' })).toEqual([]);
    expect(found({ text: '  ' })).toHaveLength(3);
  });

  it('choose a status, a model or a tag, together with the words', () => {
    expect(found({ status: 'failed' })).toEqual(['letters']);
    expect(found({ model: 'Stories 2M' })).toEqual(['pirates', 'letters']);
    expect(found({ tag: 'voice' })).toEqual(['pirates']);
    expect(found({ model: 'Stories 2M', status: 'failed', text: 'pirates' })).toEqual([]);
  });
});

describe('the best run', () => {
  it('is that with the lowest validation loss of those with the same examples and objective', () => {
    const best = bestRuns([
      run('a', { bestEvalLoss: 2, ...examples('one') }),
      run('b', { bestEvalLoss: 1.5, ...examples('one') }),
      run('other data', { bestEvalLoss: 0.1, ...examples('two') }),
      run('unmeasured', { bestEvalLoss: null, ...examples('one') }),
      run('another objective', { bestEvalLoss: 0.2, ...examples('one') }, { objective: { type: 'pretraining' } }),
    ]);
    expect([...best]).toEqual([['b', 2]]);
  });

  it('of older records is told by their data and model', () => {
    const hub = { model: { source: 'hf:a/b' } };
    const best = bestRuns([
      run('a', { bestEvalLoss: 2 }),
      run('b', { bestEvalLoss: 3 }),
      run('c', { bestEvalLoss: 1 }, hub),
    ]);
    expect([...best]).toEqual([['a', 2]]);
  });

  it('can be several, and a run alone is the best of nothing', () => {
    expect([...bestRuns([run('a'), run('b')]).keys()]).toEqual(['a', 'b']);
    expect(bestRuns([run('a')]).size).toBe(0);
  });

  it('is named in the rail as that of the runs like the latest', () => {
    const newestFirst = [
      run('running', { bestEvalLoss: null, ...examples('one') }),
      run('b', { bestEvalLoss: 1.5, ...examples('one') }),
      run('other data', { bestEvalLoss: 0.1, ...examples('two') }),
      run('a', { bestEvalLoss: 1.4, ...examples('one') }),
    ];
    expect(bestOfLatest(newestFirst)).toBe(1.4);
    expect(bestOfLatest([])).toBeNull();
  });
});

describe('columns', () => {
  it('keep their order, and those of another version are left out', () => {
    expect(shownColumns(['date', 'gone', 'model']).map(({ id }) => id)).toEqual(['model', 'date']);
    expect(shownColumns([])).toEqual([]);
    expect(shownColumns(null).map(({ id }) => id)).toContain('loss');
  });

  it('say the most telling metric at the best step', () => {
    const classifier = run(
      'a',
      { bestMetrics: { base_text_loss: 3, accuracy: 0.75 } },
      { dataset: { source: 'builtin:feedback' }, objective: { type: 'sequence_classification' } },
    );
    const metric = columns.find(({ id }) => id === 'metric')!;
    expect(metric.text(entries(classifier)[0]!)).toBe('Accuracy 0.750');
    expect(metric.value(entries(run('b'))[0]!)).toBeNull();
  });

  it('show older records, which lack what was recorded later', () => {
    const [entry] = entries(run('old', { bestEvalLoss: null, finalLoss: null }));
    const texts = columns.map((column) => column.text(entry!));
    expect(texts.join(' ')).not.toMatch(/undefined|null|NaN/);
  });
});

it('models are named by title, repository or file', () => {
  expect(modelNameOf('builtin:stories', titles)).toBe('Stories 2M');
  expect(modelNameOf('builtin:unlisted', titles)).toBe('unlisted');
  expect(modelNameOf('hf:Qwen/Qwen2.5-0.5B@main', titles)).toBe('Qwen2.5-0.5B');
  expect(modelNameOf('hf:org/repo/model-Q4_K_M.gguf', titles)).toBe('model-Q4_K_M.gguf');
  expect(modelNameOf('file:my model', titles)).toBe('my model');
});

it('tags are read as people type them', () => {
  expect(tagsIn(' keep,, keep ,two  words,')).toEqual(['keep', 'two words']);
  expect(tagsIn('x'.repeat(60))).toEqual(['x'.repeat(40)]);
  expect(tagsOf([run('a', { tags: ['b', 'a'] }), run('b', { tags: ['a'] }), run('c')])).toEqual(['a', 'b']);
});
