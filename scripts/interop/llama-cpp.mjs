// llama.cpp as the reference for GGUF files: its prebuilt binary and Node bindings, downloaded once into .cache/interop.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../build.mjs';
import { run } from '../child.mjs';

const VERSION = '3.22.1';
/** Texts are read so many tokens at a time, since logits come as maps of the whole vocabulary. */
const PIECE = 16;
const inside = 'node_modules/node-llama-cpp/dist/index.js';
const platforms = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
};

/** The folder of `node-llama-cpp`, with only the CPU binary for this machine (those for CUDA take half a GB). */
export async function llamaCppFolder() {
  const folder = path.join(root, `.cache/interop/node-llama-cpp-${VERSION}`);
  if (!existsSync(path.join(folder, inside))) {
    const platform = platforms[`${process.platform}-${process.arch}`];
    if (!platform) throw new Error(`node-llama-cpp has no binary for ${process.platform} ${process.arch}.`);
    const work = `${folder}.part`;
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    writeFileSync(path.join(work, 'package.json'), '{"private": true}');
    const packages = [`node-llama-cpp@${VERSION}`, `@node-llama-cpp/${platform}@${VERSION}`];
    const flags = ['--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    if ((await run(npm, ['install', ...flags, ...packages], { cwd: work, timeoutMs: 600_000 })) !== 0) {
      throw new Error('node-llama-cpp could not be downloaded from npm.');
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
  }
  return folder;
}

/** llama.cpp on the CPU, for many files: starting it takes a second. `log` is given what it warns of. */
export async function startLlamaCpp(log = null) {
  const { getLlama, LlamaLogLevel } = await import(pathToFileURL(path.join(await llamaCppFolder(), inside)).href);
  const logging = log
    ? { logLevel: LlamaLogLevel.warn, logger: (_, text) => log(text.trim()) }
    : { logLevel: LlamaLogLevel.error };
  return getLlama({ gpu: false, build: 'never', ...logging });
}

/**
 * Opens a GGUF file in llama.cpp, with an adapter's file on it if one is named. Tokens are plain ids; none are added to the given ones,
 * not even BOS. `tokenize` recognises special tokens in the text. `started`: a llama.cpp that stays open.
 */
export async function openLlamaCpp(file, { contextSize = 1024, adapter = null, started = null } = {}) {
  const llama = started ?? (await startLlamaCpp());
  const model = await llama.loadModel({ modelPath: file });
  const context = await model.createContext({
    contextSize,
    sequences: 1,
    flashAttention: false,
    // Threads wait for each other by spinning, which is slow on a busy machine; one is fast enough for these models.
    threads: 1,
    // Half precision here would add differences that do not come from the file.
    experimentalKvCacheKeyType: 'F32',
    experimentalKvCacheValueType: 'F32',
    ...(adapter ? { lora: { adapters: [{ filePath: adapter, scale: 1 }] } } : {}),
  });
  const sequence = context.getSequence();
  const fromStart = () => sequence.clearHistory();

  return {
    tokenize: (text) => [...model.tokenize(text, true, 'trimLeadingSpace')],
    /** The tokens that a text begins with according to the file: BOS, or none. */
    begin: model.tokens.shouldPrependBosToken && model.tokens.bos !== null ? [model.tokens.bos] : [],
    text: (ids) => model.detokenize(ids, true),
    /** As it is at the start of a text: where the file says so, a space comes before it. */
    tokenizeStart: (text) => [...model.tokenize(text, true)],

    /** Logits of the tokens `of` after each of `ids`, one row each. */
    async logits(ids, of) {
      await fromStart();
      const logits = { filter: { tokens: of } };
      const outputs = await sequence.controlledEvaluate(ids.map((token) => [token, { generateNext: { logits } }]));
      return outputs.map(({ next }) => of.map((token) => next.logits.get(token)));
    },

    /** The next `count` tokens, decoded greedily; does not stop at end-of-text tokens. */
    async greedy(ids, count) {
      await fromStart();
      const tokens = [];
      let input = ids;
      while (tokens.length < count) {
        const asked = input.map((token, i) =>
          i < input.length - 1 ? token : [token, { generateNext: { token: true, options: { temperature: 0 } } }],
        );
        const next = (await sequence.controlledEvaluate(asked)).at(-1).next.token;
        tokens.push(next);
        input = [next];
      }
      return tokens;
    },

    /**
     * For each token of a continuation, given all before it: how far its logit is below the largest. Token by token, as they are written:
     * together, quantised weights are multiplied by other code, which rounds otherwise.
     */
    async shortfalls(ids, continuation) {
      await fromStart();
      const all = [...ids, ...continuation];
      const asked = all.slice(0, -1).map((token, i) => {
        if (i < ids.length - 1) return token;
        return [token, { generateNext: { logits: { filter: { tokens: [all[i + 1]], includeTop: 1 } } } }];
      });
      const outputs = (await sequence.controlledEvaluate(asked.slice(0, ids.length))).slice(-1);
      for (const one of asked.slice(ids.length)) outputs.push(...(await sequence.controlledEvaluate([one])));
      return outputs.map(({ next: { logits } }, i) => Math.max(...logits.values()) - logits.get(continuation[i]));
    },

    /**
     * exp of the mean negative log-likelihood of ids[1…], each given all tokens before it. The exponentials are added here, in float64:
     * llama.cpp's own `totalLogitWeight` adds them one after the other in float32, and loses what the many unlikely tokens weigh.
     */
    async perplexity(ids) {
      await fromStart();
      let sum = 0;
      for (let at = 0; at < ids.length - 1; at += PIECE) {
        const wanted = ids.slice(at + 1, at + 1 + PIECE);
        const asked = wanted.map((_, i) => [ids[at + i], { generateNext: { logits: true } }]);
        const outputs = await sequence.controlledEvaluate(asked);
        for (const [i, { next }] of outputs.entries()) {
          let top = -Infinity;
          for (const logit of next.logits.values()) top = Math.max(top, logit);
          let weight = 0;
          for (const logit of next.logits.values()) weight += Math.exp(logit - top);
          sum += top + Math.log(weight) - next.logits.get(wanted[i]);
        }
      }
      return Math.exp(sum / (ids.length - 1));
    },

    async close() {
      await context.dispose();
      await model.dispose();
      if (!started) await llama.dispose();
    },
  };
}
