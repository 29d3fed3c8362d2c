/** Pushes that go as their repository is called: `taken` is there already, `cut` loses the connection once at 40 %. */
import { TabtuneError } from '../../../src/base/errors';
import type { PushApi } from '../../../src/session/hub-api';
import { sleep } from './sleep';

const commit = '5c1f0e7a9b3d42f8a6e4c2b1d0f9e8d7c6b5a493';

export function scriptedPushes(endpoint: string, milliseconds: number): PushApi {
  let cut = false;
  let at = 0;
  return {
    async account(token) {
      await sleep(200);
      if (token.includes('read')) {
        throw new TabtuneError({
          code: 'access',
          message: 'This access token can only read.',
          where: 'ada',
          action: `Create one of the type Write at ${endpoint}/settings/tokens, and enter it here.`,
        });
      }
      return { name: 'ada', owners: ['ada', 'lab'], refused: ['Your role in club only allows reading.'] };
    },
    async target(repo) {
      await sleep(200);
      const files = ['.gitattributes', 'README.md', 'model.gguf'];
      return repo.includes('taken') ? { id: repo, private: false, commit, files } : null;
    },
    async push({ files, repo }, onProgress, signal) {
      const total = files.reduce((sum, { blob }) => sum + blob.size, 0);
      const file = files.reduce((largest, one) => (one.blob.size > largest.blob.size ? one : largest)).path;
      const rate = (total / milliseconds) * 1000;
      onProgress({ phase: 'preparing', file: null, done: 0, total: 0, rate: null, secondsLeft: null });
      for (; at < total; at = Math.min(total, at + rate / 10)) {
        onProgress({ phase: 'uploading', file, done: at, total, rate, secondsLeft: (total - at) / rate });
        await sleep(100);
        if (signal.aborted) throw new TabtuneError({ code: 'cancelled', message: 'The push was cancelled.' });
        if (!repo.includes('cut') || cut || at < total * 0.4) continue;
        cut = true;
        throw new TabtuneError({
          code: 'network',
          message: 'huggingface.co could not be reached, or the connection was lost.',
          where: file,
          action: 'Check your connection, and whether a content blocker or company network blocks the address.',
          details: 'Error: the connection was lost',
        });
      }
      onProgress({ phase: 'committing', file: null, done: 0, total: 0, rate: null, secondsLeft: null });
      await sleep(300);
      at = 0;
      return { id: repo, url: `${endpoint}/${repo}`, commit, notes: [] };
    },
  };
}
