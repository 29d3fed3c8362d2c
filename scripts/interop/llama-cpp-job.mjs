// node llama-cpp-job.mjs JOBS.json OUT.jsonl: llama.cpp in a process of its own, which a bad file ends.
// Each job is `{ name, model, adapter, ids, of, strings }`; its line in OUT has `{ name, logits, strings, log }` or `{ name, error, log }`.
import { appendFileSync, readFileSync } from 'node:fs';
import { openLlamaCpp, startLlamaCpp } from './llama-cpp.mjs';

const [jobs, out] = process.argv.slice(2);
let log = [];
const started = await startLlamaCpp((line) => log.push(line));
for (const { name, model, adapter = null, ids = [], of = [], strings = [] } of JSON.parse(readFileSync(jobs, 'utf8'))) {
  log = [];
  let answer;
  try {
    const llama = await openLlamaCpp(model, { contextSize: 64, adapter, started });
    try {
      answer = { logits: await llama.logits(ids, of), strings: strings.map((text) => llama.tokenizeStart(text)) };
    } finally {
      await llama.close();
    }
  } catch (error) {
    answer = { error: String(error?.message ?? error) };
  }
  appendFileSync(out, `${JSON.stringify({ name, ...answer, log })}\n`);
}
// Threads of llama.cpp would keep the process.
process.exit(0);
