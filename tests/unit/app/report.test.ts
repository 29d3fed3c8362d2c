import { expect, it } from 'vitest';
import { cleanError, cleanRecipe } from '../../../src/app/util/report';
import { groupRequests, purposeOf } from '../../../src/app/util/requests';
import type { RequestNote } from '../../../src/base/requests';
import { HUB } from '../../../src/hub/hub-id';
import { resolveRecipe } from '../../../src/recipe/defaults';

it('keeps numbers and choices of a recipe, and nothing that a person wrote', () => {
  const recipe = resolveRecipe({
    version: 1,
    name: 'letters to Aunt Zelda',
    model: { source: 'file:aunt-zelda-model' },
    dataset: { source: 'file:aunt-zelda.csv', columns: { prompt: 'dear', completion: 'zelda' } },
    method: { type: 'prompt_tuning', prompt_tuning_init_text: 'Dear Zelda' },
    training: { learning_rate: 3e-3 },
  });
  const clean = cleanRecipe(recipe);
  expect(JSON.stringify(clean)).not.toMatch(/zelda|dear/i);
  expect(clean).toMatchObject({
    model: { source: '…' },
    method: { type: 'prompt_tuning' },
    training: { learning_rate: 3e-3 },
  });
  const builtin = resolveRecipe({ version: 1, model: { source: 'builtin:stories' } });
  expect(cleanRecipe(builtin)).toMatchObject({ model: { source: 'builtin:stories' } });
});

it('takes quotations and file names out of an error', () => {
  const error = {
    code: 'bad_data' as const,
    message: 'aunt-zelda.csv: the label “my secret” is missing in row 4.',
    where: 'aunt-zelda.csv',
    details: 'the whole row',
  };
  const text = cleanError(error, ['aunt-zelda.csv']);
  expect(text).toBe('bad_data\n…: the label “…” is missing in row 4.');
});

const note = (url: string, method = 'GET'): RequestNote => ({
  ...{ url, method, from: 'page', kind: 'fetch', at: 0, sent: 0, received: 1, local: false, failed: false },
});

it('says what a request was for', () => {
  const page = 'https://host.example/some/folder/index.html';
  const of = (url: string, hub = HUB) => purposeOf(note(url), hub, page);
  expect(of('https://host.example/some/folder/assets/a.js')).toBe('app');
  expect(of('https://host.example/some/folder/models/stories/config.json')).toBe('model');
  expect(of('https://host.example/some/folder/datasets/a.csv')).toBe('dataset');
  expect(of('https://huggingface.co/api/models?search=x')).toBe('search');
  expect(of('https://huggingface.co/api/models/org/name/revision/main')).toBe('details');
  expect(of('https://huggingface.co/org/name/resolve/main/config.json')).toBe('file');
  expect(of('https://cas-bridge.xethub.hf.co/x')).toBe('file');
  const bucket = 'https://hf-hub-lfs-us-east-1.s3-accelerate.amazonaws.com/repos/x';
  expect(purposeOf(note(bucket, 'PUT'), HUB, page)).toBe('push');
  expect(purposeOf(note('https://huggingface.co/api/models/a/b/commit/main', 'POST'), HUB, page)).toBe('push');
  expect(of('https://huggingface.co/api/whoami-v2')).toBe('push');
  expect(purposeOf(note('https://mine.s3-accelerate.amazonaws.com/x', 'PUT'), HUB, page)).toBe('strange');
  expect(of('https://hf.co.evil.example/x')).toBe('strange');
  expect(of('https://evilhf.co/x')).toBe('strange');
  expect(of('https://huggingface.co/x', 'https://mirror.example')).toBe('strange');
  expect(of('https://mirror.example:8443/x', 'https://mirror.example')).toBe('file');
});

it('keeps what nobody can explain apart', () => {
  const notes = [
    note('https://host.example/a.js'),
    note('https://huggingface.co/api/models?x=1'),
    note('https://spy.example/'),
  ];
  const groups = groupRequests(notes, HUB, 'https://host.example/');
  expect([groups.own.length, groups.hub.length, groups.strange.length]).toEqual([1, 1, 1]);
  expect(groups.strange[0]!.url).toBe('https://spy.example/');
});
