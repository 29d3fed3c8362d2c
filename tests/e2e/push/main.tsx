/** The dialog that pushes, over a real session with its workers and policy, with files that need no training. */
import { createRoot } from 'react-dom/client';
import { PushButton } from '../../../src/app/components/compare/PushButton';
import { RequestLog } from '../../../src/app/components/shell/RequestLog';
import '../../../src/app/styles.css';
import { gatherRequests, noteRequests, noting } from '../../../src/base/requests';
import { lazySession } from '../../../src/session/lazy-session';
import { useHub } from '../../../src/stores/hub';
import { restrictRequests } from '../../../src/stores/hub-choice';
import type { PushSubject } from '../../../src/stores/push';
import { connectSession } from '../../../src/stores/session';
import { pushedFiles } from './files';

restrictRequests();
window.fetch = noting(window.fetch.bind(window));
noteRequests((notes) => gatherRequests('page', notes));
connectSession(lazySession());
void useHub.getState().recall();

const subject: PushSubject = {
  id: 'peft',
  name: 'pirate-chat LoRA r16 · 2',
  files: async () => Object.entries(pushedFiles()).map(([path, bytes]) => ({ path, blob: new Blob([bytes]) })),
};

createRoot(document.getElementById('root')!).render(
  <main className="space-y-4 p-4">
    <h1>Push</h1>
    <PushButton subject={subject} />
    <RequestLog />
  </main>,
);
