/** README.md of an adapter in mlx-lm's folder. */
import { shellWord } from '../markdown';
import { cardTail, cardTitle, frontMatter, type ModelCardInput } from '../model-card';
import { python } from '../python';

export function mlxCard(input: ModelCardInput): string {
  const base = input.baseFolder ?? input.baseModel;
  return `${frontMatter(input, 'mlx')}

${cardTitle(input)} In the format of mlx-lm.

## Use it

\`\`\`sh
mlx_lm.generate --model ${shellWord(base)} --adapter-path . --prompt "Hello"
\`\`\`

\`\`\`python
from mlx_lm import generate, load

model, tokenizer = load(${python(base)}, adapter_path=".")  # the folder of this file
print(generate(model, tokenizer, prompt="Hello", max_tokens=50))
\`\`\`
${cardTail(input)}`;
}
