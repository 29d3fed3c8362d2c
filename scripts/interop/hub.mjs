// Tabtune and Hugging Face's own clients on one local Hub: huggingface_hub downloads what Tabtune pushed, and it and @huggingface/hub
// push the same files by the same routes, so the local Hub is none that only Tabtune understands.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRepo, uploadFiles } from '@huggingface/hub';
import { root } from '../build.mjs';
import { withModule } from './engine.mjs';
import { judged } from './judged.mjs';

const same = (a, b) => JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

export async function hub({ python, folder, report }) {
  await withModule('/tests/interop/hub-pushes.ts', async ({ PushedHub, files, hashes, token }) => {
    const server = new PushedHub();
    const endpoint = await server.start();
    try {
      await server.push('ada/ours');
      report.check('hub, Tabtune’s push arrives as it was', same(server.held('ada/ours'), hashes));
      const source = path.join(folder, 'hub-files');
      for (const [name, bytes] of Object.entries(files)) {
        mkdirSync(path.dirname(path.join(source, name)), { recursive: true });
        writeFileSync(path.join(source, name), bytes);
      }
      const cases = path.join(folder, 'hub.json');
      writeFileSync(cases, JSON.stringify({ token, hashes, ours: 'ada/ours', theirs: 'lab/theirs', source }));
      const names = [
        'hub, huggingface_hub knows whose the token is',
        'hub, snapshot_download gives the bytes that Tabtune pushed',
        'hub, upload_folder pushes them by the same routes',
        'hub, upload_folder again makes no commit',
        'hub, a second create_repo is refused as on the Hub',
        'hub, a token that can only read is refused as on the Hub',
        'hub, a parent that is not the newest is refused as on the Hub',
      ];
      await judged(report, python, [path.join(root, 'scripts/interop/check_hub.py'), cases], {
        ...{ cases: names, folder },
        env: {
          HF_ENDPOINT: endpoint,
          HF_HUB_OFFLINE: '0',
          HF_HOME: path.join(folder, 'hf-hub'),
          // Its own protocol needs servers of its own.
          HF_HUB_DISABLE_XET: '1',
          HF_HUB_DISABLE_TELEMETRY: '1',
        },
      });
      report.check('hub, upload_folder’s files arrive as they were', same(server.held('lab/theirs'), hashes));
      const repo = 'ada/javascript';
      const options = { hubUrl: endpoint, accessToken: token };
      await createRepo({ ...options, repo, visibility: 'private' });
      const uploads = Object.entries(files).map(([name, bytes]) => ({ path: name, content: new Blob([bytes]) }));
      await uploadFiles({ ...options, repo, files: uploads, useXet: false });
      report.check('hub, @huggingface/hub’s files arrive as they were', same(server.held(repo), hashes));
      report.check('hub, files came in parts', server.parts > 10, `${server.parts} parts`);
    } finally {
      await server.stop();
    }
  });
}
