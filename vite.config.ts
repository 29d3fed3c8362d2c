import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };
const page = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
  base: './',
  define: { __TABTUNE_VERSION__: JSON.stringify(version) },
  plugins: [react(), tailwindcss()],
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // The engine worker carries tfjs (about 600 kB minified): one chunk, loaded once, never on the first paint.
    chunkSizeWarningLimit: 1500,
    rollupOptions: { input: { index: page('index.html'), headless: page('headless.html') } },
  },
});
