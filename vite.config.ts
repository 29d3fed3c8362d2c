import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { importAgain } from './scripts/import-again.mjs';
import { exportedPage } from './scripts/page-export/plugin.mjs';
import { serviceWorker } from './scripts/pwa/plugin.mjs';

const { version, bugs } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
  version: string;
  bugs?: { url?: string };
};
/**
 * What a page of the app may run and ask: its own files, and the address that a person chose as the Hub. Workers have
 * policies of their own, which come with their scripts (scripts/serve.mjs).
 */
const policy = [
  "default-src 'self'",
  "script-src 'self'",
  // Components set sizes and positions; React does so without inline styles, some libraries do not.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  // The page narrows this to one Hub before it starts (src/hub/hub-policy.ts): which one is known only there.
  "connect-src 'self' https: http:",
  // A worker of text has the page's policy (src/session/connections.ts).
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const page = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
  base: './',
  define: { __TABTUNE_VERSION__: JSON.stringify(version), __TABTUNE_ISSUES__: JSON.stringify(bugs?.url ?? null) },
  plugins: [
    react(),
    tailwindcss(),
    importAgain(),
    exportedPage(version),
    serviceWorker(),
    {
      name: 'content-security-policy',
      // The development server puts inline scripts into its pages.
      apply: 'build',
      transformIndexHtml: () => [
        {
          tag: 'meta',
          attrs: { 'http-equiv': 'Content-Security-Policy', content: policy },
          injectTo: 'head-prepend',
        },
      ],
    },
  ],
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // The engine worker carries tfjs (about 600 kB minified): one chunk, loaded once, never on the first paint.
    chunkSizeWarningLimit: 1500,
    rollupOptions: { input: { index: page('index.html'), headless: page('headless.html') } },
  },
});
