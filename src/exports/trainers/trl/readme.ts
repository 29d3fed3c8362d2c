/** README.md of the folder. */
import type { Recipe } from '../../../recipe/types';
import { methodWords } from '../../card-use';
import type { ExportedFile } from '../../export';
import type { CommandLine } from './command-line';
import { VERSIONS } from './versions';

interface Facts {
  name: string;
  recipe: Recipe;
  leaves: 'adapter' | 'model';
  differences: readonly string[];
  command: CommandLine | string;
}

export function readme({ name, recipe, leaves, differences, command }: Facts): ExportedFile {
  const lines = [
    // Whatever a name contains, it stays on its line.
    `# ${name.replace(/[\s\p{Cc}]+/gu, ' ')}, as a Python script`,
    '',
    `${methodWords(recipe)}, trained on Transformers, PEFT and TRL as the run in Tabtune trains it. In this folder:`,
    '',
    '```sh',
    'uv run train.py',
    'accelerate launch --config_file accelerate/multi_gpu.yaml train.py',
    'uv run train.py --resume output/checkpoint-100',
    '```',
    '',
    '`data` has the rows, tokenised and masked, and `data/steps.jsonl` which of them each step takes, in the order of Tabtune; so the losses are those of the run in Tabtune, to rounding, on one process and on several. `accelerate` has files for one GPU, several, FSDP2, DeepSpeed ZeRO-3, and the CPU: `num_processes` in them is how many processes there are.',
    '',
    `The result is in \`output/${leaves}\`, the step with the lowest validation loss. Tabtune opens it, to compare or to go on.`,
    '',
    '## What differs from the run in Tabtune',
    '',
    ...(differences.length > 0 ? differences.map((text) => `- ${text}`) : ['- Nothing that is known.']),
    '',
    '## TRL’s command line',
    '',
    ...ofCommandLine(command),
  ];
  return { path: 'README.md', blob: new Blob([`${lines.join('\n')}\n`]) };
}

function ofCommandLine(command: CommandLine | string): string[] {
  if (typeof command === 'string') return [command];
  return [
    `\`${command.file}\` makes the run without the script, as far as TRL’s own command line can:`,
    '',
    '```sh',
    `pip install trl==${VERSIONS.trl} peft==${VERSIONS.peft}`,
    command.command,
    `${command.command} --accelerate_config accelerate/multi_gpu.yaml`,
    '```',
    '',
    'Each process then takes `per_device_train_batch_size` rows at a time: divide `gradient_accumulation_steps` by the number of processes. It differs in more than the script does:',
    '',
    ...command.differences.map((text) => `- ${text}`),
  ];
}
