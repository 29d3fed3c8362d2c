import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import './app/styles.css';
import { parseHash } from './app/util/route';
import { boot } from './stores/boot';

const { place, detail } = parseHash(window.location.hash);
boot(place === 'train' ? detail : '');

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
