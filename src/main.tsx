import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import './app/styles.css';
import { shell } from './app/text/shell';
import { ErrorNotice } from './app/ui/Notice';
import { parseHash } from './app/util/route';
import { isFramed } from './base/framed';
import { gatherRequests, noteRequests, noting } from './base/requests';
import { boot } from './stores/boot';
import { restrictRequests } from './stores/hub-choice';
import { useScreen } from './stores/screen';

const screen = createRoot(document.getElementById('root')!);

if (isFramed()) {
  screen.render(<ErrorNotice error={shell.framed} />);
} else {
  restrictRequests();
  window.fetch = noting(window.fetch.bind(window));
  noteRequests((notes) => gatherRequests('page', notes));
  const crashed = (cause: unknown) =>
    useScreen.setState({ crash: cause instanceof Error ? (cause.stack ?? String(cause)) : String(cause) });
  window.addEventListener('error', ({ error, message }) => crashed(error ?? message));
  window.addEventListener('unhandledrejection', ({ reason }) => crashed(reason));
  const { page, detail } = parseHash(window.location.hash);
  boot(page === 'train' ? detail : '');
  screen.render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
