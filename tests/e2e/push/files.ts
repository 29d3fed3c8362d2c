/** What the test page pushes: as large as an adapter, and the same after a reload. */
export const WEIGHTS = 'adapter_model.safetensors';
export const SIZE = 2_000_000;

export function pushedFiles(): Record<string, Uint8Array<ArrayBuffer>> {
  const weights = new Uint8Array(SIZE);
  let state = 7;
  for (let i = 0; i < SIZE; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    weights[i] = state >>> 24;
  }
  const text = (content: string) => new TextEncoder().encode(content);
  return {
    'README.md': text('---\nbase_model: "org/base"\nlicense: "mit"\n---\n\n# Pirate\n'),
    'adapter_config.json': text('{"r": 16, "lora_alpha": 32}\n'),
    [WEIGHTS]: weights,
  };
}
