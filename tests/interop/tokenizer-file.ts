/** The smallest Llama that llama.cpp opens, with a tokenizer section from a folder's files: what it does to texts. */
import { ggufTokenizer } from '../../src/exports/gguf/tokenizer/section';
import { type GgufEntry, layoutGguf } from '../../src/formats/gguf-write';

const WIDTH = 32;
const string = (value: string): GgufEntry => ({ type: 'string', value });
const uint32 = (value: number): GgufEntry => ({ type: 'uint32', value });

/** Throws `bad_model` for a tokenizer that llama.cpp does not have. `header` is followed by zeros, up to `bytes`. */
export function tokenizerFile(tokenizerJson: string, tokenizerConfig: string) {
  const json = JSON.parse(tokenizerJson) as {
    model: { vocab: Record<string, number> };
    added_tokens: { id: number }[];
  };
  const rows = [...Object.values(json.model.vocab), ...json.added_tokens.map(({ id }) => id)].reduce(
    (most, id) => Math.max(most, id + 1),
    0,
  );
  const none = {
    specialTokensMap: null,
    chatTemplate: null,
    generationConfig: null,
    sentencePiece: null,
    endTokenIds: [],
  };
  const { pairs, notes, swallowsSpace } = ggufTokenizer({ ...none, tokenizerJson, tokenizerConfig, config: {}, rows });
  const key = (name: string) => `llama.${name}`;
  const metadata = new Map<string, GgufEntry>([
    ['general.architecture', string('llama')],
    ['general.name', string(swallowsSpace ? 'Phi-3' : 'Tokenizer')],
    ...['block_count', 'attention.head_count', 'attention.head_count_kv'].map(
      (name) => [key(name), uint32(1)] as const,
    ),
    ...['embedding_length', 'feed_forward_length'].map((name) => [key(name), uint32(WIDTH)] as const),
    [key('context_length'), uint32(512)],
    [key('attention.layer_norm_rms_epsilon'), { type: 'float32', value: 1e-5 }],
    ...pairs,
  ]);
  const matrices = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'];
  const { header, bytes } = layoutGguf(
    metadata,
    [
      { name: 'token_embd.weight', shape: [rows, WIDTH] },
      { name: 'output_norm.weight', shape: [WIDTH] },
      ...['attn_norm', 'ffn_norm'].map((name) => ({ name: `blk.0.${name}.weight`, shape: [WIDTH] })),
      ...matrices.map((name) => ({ name: `blk.0.${name}.weight`, shape: [WIDTH, WIDTH] })),
    ].map((tensor) => ({ ...tensor, type: 'F16' as const })),
  );
  return { header, bytes, notes };
}
