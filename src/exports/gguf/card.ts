/** README.md of a repository with a GGUF file: the Hub shows an empty page without one. It is not saved beside the file. */
import type { ExportedFile, ExportSource } from '../export';
import { code, markdown, yaml } from '../markdown';
import { figures, licenceLine, noteLines, originSections, proofSection, recipeBlock } from '../model-card';
import type { Proof } from '../proof';

export interface GgufCardFacts {
  type: 'model' | 'adapter';
  /** The file's name. */
  file: string;
  /** How most of its tensors are stored: `Q8_0`. */
  stored: string;
  notes: readonly string[];
  proof: Proof | null;
}

export function ggufCard(
  { name, card, model }: Pick<ExportSource, 'name' | 'card' | 'model'>,
  { type, file, stored, notes, proof }: GgufCardFacts,
): ExportedFile {
  const base = card?.baseModel ?? model.base.name;
  const licence = card ? card.licence : model.licence;
  const use =
    type === 'model'
      ? [`llama-cli -m ${file}`, '# or from this repository:', 'llama-cli -hf OWNER/REPOSITORY']
      : [`llama-cli -m BASE.gguf --lora ${file}`];
  const what =
    type === 'model'
      ? `${code(base)}, trained`
      : `A LoRA adapter for ${code(base)}, which it needs as a GGUF file, trained`;
  const text = `---
${[
  `base_model: ${yaml(base)}`,
  `base_model_relation: ${type === 'model' ? 'finetune' : 'adapter'}`,
  'library_name: gguf',
  ...(licence === null ? [] : [`license: ${yaml(licence)}`]),
].join('\n')}
tags:
- ${yaml('llama.cpp')}
- ${yaml('tabtune')}
---

# ${markdown(name)}

${what} in a browser tab with Tabtune. ${code(file)} is stored in ${stored}.

## Use it

\`\`\`sh
${use.join('\n')}
\`\`\`

Ollama, LM Studio and KoboldCpp load the same file.
${noteLines(notes)}${proofSection(proof, 'the model in memory')}${card ? originSections(card) : `\n## Licence\n\n${licenceLine(base, licence)}\n`}${card ? `\n## The run\n\n${figures(card)}\n\n${recipeBlock(card.recipe)}` : ''}`;
  return { path: 'README.md', blob: new Blob([text]) };
}
