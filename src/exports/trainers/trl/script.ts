/** train.py: what is the same for all runs, and the parts of this run's objective, method and optimiser. */
import { objectiveOf } from '../../../objectives';
import type { TrainingData } from '../training-data';
import { BASE_FOLDER, type BaseModel } from './base-model';
import { comment, pythonLiteral } from './literals';
import { joined, optimizerOf } from './optimizers';
import type { Json, Python, Settings, TrlMethod, TrlObjective } from './part';
import stepsCode from './python/steps.py?raw';
import { trainingSettings } from './settings';
import { type PackageName, VERSIONS } from './versions';

export interface ScriptParts {
  name: string;
  base: BaseModel;
  data: TrainingData;
  objective: TrlObjective<{ type: string }>;
  method: TrlMethod<{ type: string }>;
  /** What differs from the run in Tabtune, a sentence each. */
  differences: readonly string[];
}

const PACKAGES: readonly PackageName[] = ['torch', 'transformers', 'trl', 'peft', 'accelerate', 'datasets'];

const STANDARD = ['argparse', 'json', 'math', 'os'];
const IMPORTS = ['import torch', 'from datasets import load_dataset', 'from torch.utils.data import DataLoader'];

export function trainScript(parts: ScriptParts): string {
  const { base, data, objective, method, differences, name } = parts;
  const { recipe } = data;
  const optimizer = optimizerOf(recipe.training);
  const python = joined([
    optimizer.python,
    objective.batches(data),
    method.python?.(recipe.method, data) ?? { imports: [], definitions: [], mixins: [] },
  ]);
  const { autoClass } = objectiveOf(recipe.objective);
  const { trainer } = objective;
  const imports = [
    ...IMPORTS,
    ...python.imports,
    `from transformers import ${autoClass}, AutoTokenizer`,
    `from ${trainer.module} import ${[trainer.config, trainer.name].join(', ')}`,
  ];
  const mixins = python.mixins ?? [];
  return `${[
    ...metadata([...PACKAGES, ...(optimizer.packages as PackageName[])]),
    ...header(name, method.leaves, differences),
    '',
    ...STANDARD.map((module) => `import ${module}`),
    'from pathlib import Path',
    '',
    ...privacy,
    '',
    ...[...new Set(imports)].sort(byModule),
    '',
    ...constants(data, base),
    ...[stepsCode, ...python.definitions, ...mixins.map(({ code }) => code)].flatMap(definition),
    ...definition(runClass([...mixins.map((mixin) => mixin.name), 'TabtuneSteps', trainer.name])),
    ...definition(loading(autoClass)),
    ...definition(saving(method.leaves)),
    ...definition(
      main(parts, { ...trainingSettings(data), ...optimizer.settings, ...objective.settings(recipe.objective, data) }),
    ),
    ...definition('if __name__ == "__main__":\n    main()'),
  ].join('\n')}\n`;
}

/** PEP 723: `uv run` installs these by itself. */
function metadata(packages: readonly PackageName[]): string[] {
  return [
    '# /// script',
    '# requires-python = ">=3.10"',
    '# dependencies = [',
    ...packages.map((name) => `#   "${name}==${VERSIONS[name]}",`),
    '# ]',
    '# ///',
  ];
}

function header(name: string, leaves: string, differences: readonly string[]): string[] {
  return [
    ...comment(`The run “${name}” of Tabtune, on Transformers, PEFT and TRL.`),
    '#',
    '#   uv run train.py                                                       one GPU, or the CPU',
    '#   accelerate launch --config_file accelerate/multi_gpu.yaml train.py    several; also fsdp2.yaml, zero3.yaml',
    '#',
    ...comment(
      `The rows are those of Tabtune, tokenised and masked, step by step in its order, and so is what training starts from: the losses are those of the run in Tabtune, to rounding. The result is in output/${leaves}, which Tabtune opens, to compare or to go on.`,
    ),
    '#',
    ...(differences.length > 0
      ? [...comment('What differs from the run in Tabtune:'), ...differences.flatMap((text) => comment(text, '- '))]
      : comment('Nothing of the run in Tabtune is left out.')),
  ];
}

const privacy = [
  '# One process trains on one GPU; accelerate launch starts one for each.',
  'if "LOCAL_RANK" not in os.environ:',
  '    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")',
  'os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")',
];

/** By module, as linters sort them. */
const byModule = (a: string, b: string) => {
  const key = (line: string) => [line.startsWith('import ') ? 0 : 1, line.split(' ')[1]!.toLowerCase()] as const;
  const [[kindA, nameA], [kindB, nameB]] = [key(a), key(b)];
  return kindA - kindB || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0);
};

function constants({ recipe, tokens, stepsPerEpoch }: TrainingData, base: BaseModel): string[] {
  const { per_device_train_batch_size, early_stopping_patience } = recipe.training;
  const model = base.id === null ? `str(HERE / ${pythonLiteral(BASE_FOLDER)})` : pythonLiteral(base.id);
  return [
    'HERE = Path(__file__).resolve().parent',
    `MODEL = ${model}`,
    `REVISION = ${pythonLiteral(base.revision)}`,
    ...(base.gguf === null ? [] : [`GGUF = ${pythonLiteral(base.gguf)}`]),
    '# Tabtune computes in float32. bfloat16 takes half the memory, and its losses differ in the third digit.',
    'DTYPE = torch.float32',
    `PAD = ${tokens.pad}`,
    `BATCH_SIZE = ${per_device_train_batch_size}`,
    `STEPS_PER_EPOCH = ${stepsPerEpoch}`,
    `EARLY_STOPPING = ${early_stopping_patience}  # evaluations without a better one; 0 never stops`,
  ];
}

/** Two empty lines ahead, as PEP 8 has it. */
const definition = (code: string): string[] => ['', '', code.trim()];

const runClass = (bases: readonly string[]) => `class Run(${bases.join(', ')}):\n    pass`;

const loading = (autoClass: string) => `def load_model():
    return ${autoClass}.from_pretrained(MODEL, revision=REVISION, dtype=DTYPE)`;

const saving = (leaves: 'adapter' | 'model') => `def save(trainer):
    """What was trained, ready to be opened."""
    trainer.save_model(str(Path(trainer.args.output_dir) / "${leaves}"))`;

function main({ objective, method, data }: ScriptParts, settings: Settings): string {
  const { trainer } = objective;
  const keywords = Object.entries(settings).map(([key, value]) => `        ${key}=${pythonLiteral(value)},`);
  return `def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", default=str(HERE / "output"), help="where checkpoints and the result go")
    parser.add_argument("--resume", metavar="CHECKPOINT", help="a checkpoint folder to go on from")
    options = parser.parse_args()
    if os.environ.get("RANK", "0") == "0":
        print(f"{WORLD_SIZE} process(es), each with {ACCUMULATION} x {MICRO_BATCH} rows a step", flush=True)
    # Before the model: DeepSpeed's ZeRO-3 divides it while it is loaded.
    args = ${trainer.config}(
        output_dir=options.output,
        per_device_train_batch_size=MICRO_BATCH,
        per_device_eval_batch_size=MICRO_BATCH,
        gradient_accumulation_steps=ACCUMULATION,
${keywords.join('\n')}
        dataloader_pin_memory=torch.cuda.is_available(),
        use_cpu=not torch.accelerator.is_available(),
    )
    tokenizer = AutoTokenizer.from_pretrained(MODEL, revision=REVISION)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = load_model()
${method
  .attach(data.recipe.method)
  .map((line) => `    ${line}\n`)
  .join('')}    trainer = Run(
        model=model,
        args=args,
        train_dataset=read_rows("train"),
        eval_dataset=read_rows("validation"),
        data_collator=collate,
        processing_class=tokenizer,${(objective.arguments ?? []).map((line) => `\n        ${line},`).join('')}
    )
    trainer.train(resume_from_checkpoint=options.resume)
    trainer.finish()`;
}

export type { Json, Python };
