import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import './app/styles.css';
import { shell } from './app/text/shell';
import { ErrorNotice } from './app/ui/Notice';
import { parseHash } from './app/util/route';
import { isFramed } from './base/framed';
import { boot } from './stores/boot';

const screen = createRoot(document.getElementById('root')!);

if (isFramed()) {
  screen.render(<ErrorNotice error={shell.framed} />);
} else {
  const { page, detail } = parseHash(window.location.hash);
  boot(page === 'train' ? detail : '');
  screen.render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
