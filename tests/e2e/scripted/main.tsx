/** The real screens on a scripted session, for viewing them quickly and without a GPU. */
import { createRoot } from 'react-dom/client';
import { App } from '../../../src/app/App';
import '../../../src/app/styles.css';
import type { Kernels } from '../../../src/base/kernels';
import { boot } from '../../../src/stores/boot';
import { createScriptedSession } from './session';

const script = new URLSearchParams(window.location.search);
boot(
  '',
  createScriptedSession({
    stepMs: Number(script.get('stepMs') ?? 60),
    device: (script.get('device') ?? 'gpu') as 'gpu' | 'software' | 'none',
    history: script.has('history') ? Math.max(3, Number(script.get('history'))) : 0,
    downloadMs: Number(script.get('downloadMs') ?? 4000),
    unfinished: script.has('unfinished'),
    failing: script.has('failing'),
    holding: script.has('holding'),
    timed: script.has('timed'),
    kernels: (script.get('kernels') ?? 'auto') as Kernels,
  }),
);
createRoot(document.getElementById('root')!).render(<App />);
