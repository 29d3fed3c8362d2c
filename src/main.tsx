import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import './app/styles.css';
import { parseHash } from './app/util/route';
import { boot } from './stores/boot';

const { page, detail } = parseHash(window.location.hash);
boot(page === 'train' ? detail : '');

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
