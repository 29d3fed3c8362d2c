/** A LoRA for llama.cpp and everything built on it. */
import { methodOf } from '../../methods';
import type { Export, Exported } from '../export';
import { notForLlamaCpp } from './refusals';

export const ggufAdapter: Export<'gguf-adapter'> = {
  id: 'gguf-adapter',
  group: 'adapter',
  label: () => 'GGUF adapter',
  forWhom: 'llama.cpp, Ollama, LM Studio, KoboldCpp',
  contents: () =>
    '**The adapter alone** as one GGUF file, used beside a GGUF file of the same base model: `llama-cli -m BASE.gguf --lora FILE`.',
  refusal: (exported) => notForLlamaCpp(exported) ?? methodRefusal(exported),
  fileName(name) {
    // `pirate-chat-LoRA-r16` says it already.
    const said = /(^|[^a-z0-9])lora([^a-z0-9]|$)/i.test(name);
    return `${name}${said ? '' : '-LoRA'}.gguf`;
  },
  writer: async () => (await import('./write-adapter')).writeGgufAdapter,
};

function methodRefusal({ method }: Exported): string | null {
  const { label, merges, files, llamaCpp } = methodOf(method);
  const why = llamaCpp?.(method);
  if (why === null) return null;
  if (why !== undefined) return `llama.cpp cannot use such an adapter: ${why}`;
  if (!files) return 'This method trains the model itself, so there is no separate adapter. Export the model as GGUF.';
  const instead = merges ? 'Export the merged model as GGUF.' : 'Export it in its own format.';
  return `llama.cpp’s adapters are LoRA only; it has nothing for ${label}. ${instead}`;
}
