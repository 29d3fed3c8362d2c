/** The page of the benchmark (run.ts): fills `window.benchResult`; `?filter=TEXT` skips rows without TEXT in their names. */
import { type BenchResult, runBench } from './run';

declare global {
  interface Window {
    benchResult?: BenchResult | { error: string };
  }
}

const out = document.getElementById('out')!;
const say = (text: string) => {
  out.textContent += `\n${text}`;
};

try {
  window.benchResult = await runBench(new URLSearchParams(location.search).get('filter') ?? '', say);
  say('Done.');
} catch (cause) {
  window.benchResult = { error: cause instanceof Error ? `${cause.message}\n${cause.stack}` : String(cause) };
  say(window.benchResult.error);
}
