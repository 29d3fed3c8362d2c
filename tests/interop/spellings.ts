/** How files spell an adapter's keys: what PEFT opens, and what it leaves out in silence. Unit tests and interop share the lists. */

export interface Spelling {
  name: string;
  /** Folders of tests/fixtures with an adapter saved by PEFT. */
  fixtures: string[];
  /** Keys of the new file, each with the key that has its tensor. */
  rename(keys: string[]): { key: string; from: string }[];
  /** Changes to adapter_config.json. */
  config?: Record<string, unknown>;
  /** What the refusal says. */
  says?: RegExp;
  /** Refused only once the model is known. */
  onModel?: true;
}

const LORA = ['peft/llama-patterns/adapter_init', 'peft/formats/lora-patterns'];
const DORA = ['peft/llama-dora/adapter_init'];
/** All layers alike, for changes that the model's own names decide. */
const PLAIN = ['peft/llama-loraplus/adapter_init'];
const ALL = { target_modules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] };
const IA3 = ['peft/llama-ia3/adapter_init', 'peft/gpt2-ia3/adapter_init'];
const PREFIX = 'base_model.model.';

const each = (change: (key: string) => string) => (keys: string[]) =>
  keys.map((key) => ({ key: change(key), from: key }));
const replaced = (pattern: RegExp, by: string) => each((key) => key.replace(pattern, by));
const before = (text: string) => each((key) => text + key);
const inside = (text: string) => replaced(/^base_model\.model\./, PREFIX + text);
const LAYER = /\.(layers|h)\.(\d+)\./;

export const OPENED: Spelling[] = [
  { name: 'the adapter’s name `default`', fixtures: LORA, rename: replaced(/(lora_[AB])\./, '$1.default.') },
  { name: 'the name in A alone', fixtures: LORA, rename: replaced(/lora_A\./, 'lora_A.default.') },
  { name: '(IA)³ with the name `default`', fixtures: IA3, rename: replaced(/ia3_l$/, 'ia3_l.default') },
  { name: 'DoRA’s magnitude with .weight', fixtures: DORA, rename: replaced(/vector$/, 'vector.weight') },
  { name: 'DoRA’s magnitude as in memory', fixtures: DORA, rename: replaced(/vector$/, 'vector.default.weight') },
  {
    name: 'DoRA all as in memory',
    fixtures: DORA,
    rename: each((key) => key.replace(/vector$/, 'vector.default.weight').replace(/(lora_[AB])\./, '$1.default.')),
  },
  {
    name: 'targets as an expression',
    fixtures: LORA,
    rename: each((key) => key),
    config: { target_modules: '.*\\.([qvo]|down)_proj' },
  },
  {
    name: 'targets as one that looks ahead',
    fixtures: LORA,
    rename: each((key) => key),
    config: { target_modules: '(?!.*vision).*(self_attn|mlp)\\.(q_proj|v_proj|o_proj|down_proj)' },
  },
];

export const REFUSED: Spelling[] = [
  { name: 'another adapter’s name', fixtures: LORA, rename: replaced(/(lora_[AB])\./, '$1.mine.'), says: /“mine”/ },
  { name: '(IA)³ with another name', fixtures: IA3, rename: replaced(/ia3_l$/, 'ia3_l.mine'), says: /“mine”/ },
  { name: '(IA)³ with .weight', fixtures: IA3, rename: replaced(/ia3_l$/, 'ia3_l.weight') },
  { name: 'DoRA’s magnitude with a name alone', fixtures: DORA, rename: replaced(/vector$/, 'vector.default') },
  { name: 'the name twice', fixtures: LORA, rename: replaced(/(lora_[AB])\./, '$1.default.default.') },
  { name: 'the name at the end', fixtures: LORA, rename: replaced(/\.weight$/, '.weight.default') },
  { name: 'no .weight', fixtures: LORA, rename: replaced(/(lora_[AB])\.weight$/, '$1') },
  { name: 'torch.compile, outside', fixtures: LORA, rename: before('_orig_mod.'), says: /torch\.compile/ },
  { name: 'torch.compile, inside', fixtures: LORA, rename: inside('_orig_mod.'), says: /torch\.compile/ },
  { name: 'torch.compile of (IA)³', fixtures: IA3, rename: inside('_orig_mod.'), says: /torch\.compile/ },
  { name: 'DistributedDataParallel, outside', fixtures: LORA, rename: before('module.'), says: /“module”/ },
  { name: 'DistributedDataParallel, inside', fixtures: LORA, rename: inside('module.'), says: /“module”/ },
  { name: 'FSDP, outside', fixtures: LORA, rename: before('_fsdp_wrapped_module.'), says: /FSDP/ },
  { name: 'FSDP, by layer', fixtures: LORA, rename: replaced(LAYER, '.$1.$2._fsdp_wrapped_module.'), says: /FSDP/ },
  {
    name: 'activation checkpointing',
    fixtures: LORA,
    rename: replaced(LAYER, '.$1.$2._checkpoint_wrapped_module.'),
    says: /checkpointing/,
  },
  { name: 'a doubled prefix', fixtures: [...LORA, ...IA3], rename: before(PREFIX), says: /twice/ },
  { name: 'no prefix', fixtures: LORA, rename: replaced(/^base_model\.model\./, ''), says: /does not begin with/ },
  { name: 'half a prefix', fixtures: LORA, rename: replaced(/^base_model\./, ''), says: /does not begin with/ },
  {
    name: 'a saved head as in memory',
    fixtures: ['peft/llama-head/adapter_init'],
    rename: replaced(/lm_head\.weight$/, 'lm_head.modules_to_save.default.weight'),
    says: /fully trained module/,
  },
  {
    name: 'weights that the targets leave out',
    fixtures: LORA,
    rename: each((key) => key),
    config: { target_modules: ['v_proj'] },
  },
  {
    name: 'weights that are excluded',
    fixtures: LORA,
    rename: each((key) => key),
    config: { exclude_modules: ['q_proj'] },
  },
  {
    name: 'weights that an expression leaves out',
    fixtures: LORA,
    rename: each((key) => key),
    config: { target_modules: '.*\\.(q|v)_proj' },
  },
  { name: 'weights of other layers', fixtures: LORA, rename: each((key) => key), config: { layers_to_transform: [1] } },
  {
    name: 'a model with images',
    fixtures: PLAIN,
    rename: replaced(/\.model\.layers\./, '.model.language_model.layers.'),
    config: ALL,
    onModel: true,
    says: /reads images/,
  },
  {
    name: 'a text tower',
    fixtures: PLAIN,
    rename: replaced(/\.model\.model\./, '.model.text_model.'),
    config: ALL,
    onModel: true,
    says: /reads images/,
  },
  {
    name: 'no `model.`',
    fixtures: PLAIN,
    rename: replaced(/\.model\.model\./, '.model.'),
    config: ALL,
    onModel: true,
    says: /another beginning/,
  },
  {
    name: 'one `model.` more',
    fixtures: PLAIN,
    rename: inside('model.'),
    config: ALL,
    onModel: true,
    says: /another beginning/,
  },
  {
    name: 'more layers than the model has',
    fixtures: PLAIN,
    rename: (keys) => [
      ...each((key) => key)(keys),
      ...keys
        .filter((key) => key.includes('layers.1.'))
        .map((key) => ({ key: key.replace('layers.1.', 'layers.17.'), from: key })),
    ],
    config: ALL,
    onModel: true,
    says: /It is of layer 17, and the last here is 1\./,
  },
  {
    name: 'GPT-2’s names',
    fixtures: PLAIN,
    rename: each((key) => key.replace('.model.layers.', '.transformer.h.').replace('self_attn.q_proj', 'attn.c_attn')),
    config: { target_modules: [...ALL.target_modules, 'c_attn'] },
    onModel: true,
    says: /None of the|a llama with/,
  },
];
