/** Mistral in GGUF: a Llama with a window. */
import type { MistralConfig } from '../mistral';
import { type GgufFamily, ggufWindow } from './family';
import { llamaFromGguf, llamaKin, llamaToGguf } from './llama';
import { uint32, windowNotes } from './metadata';

export const mistralGguf: GgufFamily<MistralConfig> = {
  ...llamaKin,
  when: (keys) => ggufWindow(keys) !== null,
  config: (keys, tables) => ({ ...llamaFromGguf(keys, tables), sliding_window: ggufWindow(keys) }),
  metadata(config) {
    const { keys, tables } = llamaToGguf(config);
    const { sliding_window: window, max_position_embeddings: context } = config;
    // llama.cpp reads no window here, but whoever knows the key does.
    if (window !== null) keys['attention.sliding_window'] = uint32(window);
    return { keys, tables, notes: windowNotes([window], context) };
  },
};
