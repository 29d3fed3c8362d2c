/** README.md of a folder for Ollama. */

import type { ExportSource } from '../export';
import { code, markdown, shellWord, yaml } from '../markdown';
import { figures, licenceLine, noteLines, proofSection, recipeBlock } from '../model-card';
import type { Proof } from '../proof';

export interface OllamaFacts {
  source: Pick<ExportSource, 'name' | 'fileName' | 'card' | 'model'>;
  from: string;
  proof: Proof | null;
  notes: readonly string[];
}

export function ollamaReadme({ source, from, proof, notes }: OllamaFacts): string {
  const { name, fileName, card, model } = source;
  const base = card?.baseModel ?? model.base.name;
  const licence = model.licence === null ? [] : [`license: ${yaml(model.licence)}`];
  return `---
base_model: ${yaml(base)}
${[...licence, 'library_name: gguf'].join('\n')}
tags:
- ${yaml('ollama')}
- ${yaml('tabtune')}
---

# ${markdown(name)}

${code(base)}, trained in a browser tab with Tabtune, for Ollama. The Modelfile begins with ${code(`FROM ${from}`)}.

## Use it

\`\`\`sh
ollama create ${shellWord(fileName)} -f Modelfile
ollama run ${shellWord(fileName)}
\`\`\`
${noteLines(notes)}${proofSection(proof, 'the model in memory')}
## Licence

${licenceLine(base, model.licence)}
${card ? `\n## The run\n\n${figures(card)}\n\n${recipeBlock(card.recipe)}` : ''}`;
}
