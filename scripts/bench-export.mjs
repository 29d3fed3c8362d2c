// What exporting a model costs the browser: SmolLM2-135M's shapes with random weights in bfloat16, LoRA on all linear layers, one step,
// and the merged model as a GGUF file in Q4_K_M, written and proved by the app itself.
import { closeSync, mkdirSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { runRecipe } from './headless-run.mjs';
import { watchJsMemory } from './js-memory.mjs';

export const EXPORT_ROW = 'smollm2-135m export gguf-q4_k_m';
const ID = 'gguf-q4_k_m';
const PEAK_LIMIT = 400e6;

const SHAPE = { hidden: 576, layers: 30, heads: 9, kvHeads: 3, intermediate: 1536, vocab: 49152 };

/** Names and shapes, as Hugging Face has them. */
function tensors({ hidden, layers, heads, kvHeads, intermediate, vocab }) {
  const kv = (kvHeads * hidden) / heads;
  const block = {
    ...{ 'input_layernorm.weight': [hidden], 'post_attention_layernorm.weight': [hidden] },
    ...{ 'self_attn.q_proj.weight': [hidden, hidden], 'self_attn.k_proj.weight': [kv, hidden] },
    ...{ 'self_attn.v_proj.weight': [kv, hidden], 'self_attn.o_proj.weight': [hidden, hidden] },
    ...{ 'mlp.gate_proj.weight': [intermediate, hidden], 'mlp.up_proj.weight': [intermediate, hidden] },
    'mlp.down_proj.weight': [hidden, intermediate],
  };
  return [
    ['model.embed_tokens.weight', [vocab, hidden]],
    ...Array.from({ length: layers }, (_, i) =>
      Object.entries(block).map(([name, shape]) => [`model.layers.${i}.${name}`, shape]),
    ).flat(),
    ['model.norm.weight', [hidden]],
  ];
}

/** The upper half of a float32. */
function bfloat16(count, value) {
  const words = Float32Array.from({ length: count }, value);
  return Uint16Array.from(new Uint32Array(words.buffer), (bits) => bits >>> 16);
}

function writeWeights(file) {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 0.08 * (state / 2 ** 32 - 0.5);
  };
  // Prime, so that no two rows are the same.
  const pool = Buffer.from(bfloat16(524_287, random).buffer);
  const ones = Buffer.from(bfloat16(SHAPE.hidden, () => 1).buffer);
  let at = 0;
  const header = {};
  const list = tensors(SHAPE).map(([name, shape]) => {
    const values = shape.reduce((product, n) => product * n, 1);
    header[name] = { dtype: 'BF16', shape, data_offsets: [at, at + 2 * values] };
    at += 2 * values;
    return { bytes: 2 * values, from: shape.length === 1 ? ones : pool };
  });
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const handle = openSync(file, 'w');
  try {
    writeSync(handle, length);
    writeSync(handle, text);
    for (const { bytes, from } of list) {
      for (let done = 0; done < bytes; ) done += writeSync(handle, from, 0, Math.min(from.length, bytes - done));
    }
  } finally {
    closeSync(handle);
  }
}

/** A byte-level vocabulary of SmolLM2's size: the letters that stand for bytes, and pairs of them. */
function tokenizer(size) {
  const plain = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let spare = 256;
  const letters = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(plain(byte) ? byte : spare++));
  const pairs = letters.flatMap((a) => letters.map((b) => [a, b])).slice(0, size - 257);
  const words = ['<|endoftext|>', ...letters, ...pairs.map((pair) => pair.join(''))];
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const end = { id: 0, content: words[0], single_word: false, lstrip: false, rstrip: false };
  return {
    ...{ version: '1.0', truncation: null, padding: null, normalizer: null },
    added_tokens: [{ ...end, normalized: false, special: true }],
    ...{ pre_tokenizer: byteLevel, post_processor: byteLevel, decoder: byteLevel },
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, vocab: Object.fromEntries(words.map((word, id) => [word, id])) },
      merges: pairs,
    },
  };
}

function writeModel(folder) {
  mkdirSync(folder);
  const write = (name, value) => writeFileSync(path.join(folder, name), JSON.stringify(value));
  const { hidden, layers, heads, kvHeads, intermediate, vocab } = SHAPE;
  write('config.json', {
    ...{ model_type: 'llama', architectures: ['LlamaForCausalLM'], torch_dtype: 'bfloat16', hidden_act: 'silu' },
    ...{ hidden_size: hidden, num_hidden_layers: layers, num_attention_heads: heads, num_key_value_heads: kvHeads },
    ...{ intermediate_size: intermediate, vocab_size: vocab, max_position_embeddings: 512, rms_norm_eps: 1e-5 },
    ...{ rope_theta: 1e4, tie_word_embeddings: true, bos_token_id: 0, eos_token_id: 0 },
  });
  write('tokenizer.json', tokenizer(vocab));
  write('tokenizer_config.json', { bos_token: '<|endoftext|>', eos_token: '<|endoftext|>' });
  writeWeights(path.join(folder, 'model.safetensors'));
}

const TEXT = 'What is trained in a tab is taken to other programs as a file, and the file is compared with the model.';

/** `folder` for the model and what is made of it. */
export async function measureExport({ folder, device, signal, log }) {
  mkdirSync(folder);
  const model = path.join(folder, 'model');
  writeModel(model);
  const data = path.join(folder, 'data.jsonl');
  writeFileSync(data, `${JSON.stringify({ prompt: TEXT, completion: 'Yes.' })}\n`.repeat(4));
  const recipeFile = path.join(folder, 'recipe.json');
  const recipe = {
    ...{ version: 1, name: 'bench', model: { source: `file:${model}` }, method: { type: 'lora', r: 8 } },
    dataset: { source: `file:${data}`, validation_split: 0 },
    training: { max_steps: 1, per_device_train_batch_size: 1, gradient_accumulation_steps: 1, eval_steps: 0 },
  };
  writeFileSync(recipeFile, JSON.stringify(recipe));
  const out = path.join(folder, 'out');
  let memory = null;
  let [from, written] = [0, 0];
  let found = null;
  const onMessage = ({ type, text = '', path: file = '' }) => {
    if (found || !memory) return;
    // The adapter's folder goes first, and the export begins behind its last file.
    if (type === 'file' && file.startsWith('adapter/')) {
      from = performance.now();
      memory.restart();
    } else if (type === 'progress' && text === `${ID}: comparing`) written ||= performance.now();
    else if (type === 'file' && file.startsWith(`${ID}/`))
      found = { ...memory.figures(), write_ms: written - from, ours_ms: performance.now() - from };
  };
  const summary = await runRecipe({
    ...{ recipeFile, out, device, signal, exports: [ID] },
    ...{ note: log, progress: () => {}, onMessage, onPage: async (page) => (memory = await watchJsMemory(page)) },
  });
  await memory.stop();
  const { peak, samples, workers, write_ms, ours_ms } = found;
  log(`${EXPORT_ROW}: ${samples} samples of the page and ${workers} workers`);
  if (workers === 0) throw new Error('The workers’ memory was not seen.');
  if (peak > PEAK_LIMIT) throw new Error(`The export took ${(peak / 1e6).toFixed(1)} MB of JavaScript memory.`);
  const [file] = readdirSync(path.join(out, ID)).filter((name) => name.endsWith('.gguf'));
  const { size } = statSync(path.join(out, ID, file));
  const row = { name: EXPORT_ROW, ours_ms, write_ms, file_bytes: size, js_peak_bytes: peak };
  const { vendor, architecture, description } = summary.adapter;
  return { adapter: [vendor, architecture, description].filter(Boolean).join(' '), row };
}
