/** train.py: what is the same for all runs, and the parts of this run's objective, method and optimiser. */
import { labelsWords } from '../../../base/task';
import { objectiveOf } from '../../../objectives';
import { BASE_FOLDER, type BaseModel } from '../base-model';
import type { TrainingData } from '../training-data';
import { comment, pythonLiteral } from './literals';
import { joined, optimizerOf } from './optimizers';
import type { Json, Python, Settings, TrlMethod, TrlObjective } from './part';
import meanOfStep from './python/mean_of_step.py?raw';
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
  /** The base's config.json has a dropout above 0. */
  dropout: boolean;
  /** Tensors that training starts from go along in a file of their own. */
  startTensors: boolean;
}

/** A mixin of the script that is no part's own. */
const MEAN_OF_STEP = { name: 'MeanOfStep', code: meanOfStep };

const PACKAGES: readonly PackageName[] = [
  'torch',
  'transformers',
  'trl',
  'peft',
  'accelerate',
  'datasets',
  'safetensors',
];

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
    ...(parts.startTensors ? ['from safetensors.torch import load_file'] : []),
    ...importsFrom([
      ...['AutoTokenizer', autoClass].map((name) => ['transformers', name] as const),
      ...(withoutDropout(parts) ? [['transformers', 'AutoConfig'] as const] : []),
      ...[trainer.config, trainer.name].map((name) => [trainer.module, name] as const),
    ]),
  ];
  const mixins = [...(python.mixins ?? []), ...(objective.mean === 'micro_batch' ? [MEAN_OF_STEP] : [])];
  return `${[
    ...metadata([
      ...PACKAGES,
      ...(base.gguf === null ? [] : (['gguf'] as const)),
      ...(optimizer.packages as PackageName[]),
    ]),
    ...header(name, method.leaves, differences),
    '',
    ...STANDARD.map((module) => `import ${module}`),
    'from pathlib import Path',
    '',
    ...privacy,
    '',
    ...[...new Set(imports)].sort(byModule),
    '',
    ...constants(parts),
    ...[stepsCode, ...python.definitions, ...mixins.map(({ code }) => code)].flatMap(definition),
    ...definition(runClass(['TabtuneSteps', ...mixins.map((mixin) => mixin.name), trainer.name])),
    ...definition(loading(autoClass, parts)),
    ...definition(saving(parts)),
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
    '#   accelerate launch --config_file accelerate/multi_gpu.yaml train.py    several GPUs; also fsdp2.yaml, zero3.yaml',
    '#   accelerate launch --config_file accelerate/cpu.yaml train.py          two processes on the CPU',
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

function constants({ data, base, objective }: ScriptParts): string[] {
  const { recipe, tokens, stepsPerEpoch } = data;
  const { per_device_train_batch_size, early_stopping_patience } = recipe.training;
  const model = base.id === null ? `str(HERE / ${pythonLiteral(BASE_FOLDER)})` : pythonLiteral(base.id);
  const whole = objective.wholeBatches?.(recipe.objective) ?? false;
  return [
    'HERE = Path(__file__).resolve().parent',
    `MODEL = ${model}`,
    `REVISION = ${pythonLiteral(base.revision)}`,
    ...(base.gguf === null ? [] : [`GGUF = ${pythonLiteral(base.gguf)}`]),
    '# Tabtune computes in float32. bfloat16 takes half the memory, and its losses differ in the third digit.',
    'DTYPE = torch.float32',
    `PAD = ${tokens.pad}`,
    `BATCH_SIZE = ${per_device_train_batch_size}`,
    `WHOLE_BATCHES = ${pythonLiteral(whole)}  # whether the loss needs the rows of a micro-batch together`,
    `STEPS_PER_EPOCH = ${stepsPerEpoch}`,
    `EARLY_STOPPING = ${early_stopping_patience}  # evaluations without a better one; 0 never stops`,
  ];
}

/** One statement a module, its names sorted. */
function importsFrom(names: readonly (readonly [string, string])[]): string[] {
  const modules = [...new Set(names.map(([module]) => module))];
  return modules.map((module) => {
    const own = new Set(names.filter(([from]) => from === module).map(([, name]) => name));
    return `from ${module} import ${[...own].sort().join(', ')}`;
  });
}

/** Two empty lines ahead, as PEP 8 has it. */
const definition = (code: string): string[] => ['', '', code.trim()];

const runClass = (bases: readonly string[]) => `class Run(${bases.join(', ')}):\n    pass`;

/** Whether the model has a dropout that the run does without. */
const withoutDropout = ({ data, dropout }: Pick<ScriptParts, 'data' | 'dropout'>) =>
  dropout && !data.recipe.training.model_dropout;

function loading(autoClass: string, parts: ScriptParts): string {
  const { base, data } = parts;
  const task = data.task;
  const head: Settings = task
    ? {
        num_labels: task.labels.length,
        id2label: Object.fromEntries(task.labels.map((label, i) => [String(i), label])),
        label2id: Object.fromEntries(task.labels.map((label, i) => [label, i])),
        ...(labelsWords(task) ? {} : { problem_type: task.problemType }),
      }
    : {};
  const shared = ['revision=REVISION', ...(base.gguf === null ? [] : ['gguf_file=GGUF'])];
  const ofHead = Object.entries(head).map(([key, value]) => `${key}=${headLiteral(key, value)}`);
  const call = (name: string, keywords: readonly string[]) => [
    `    ${name}.from_pretrained(`,
    '        MODEL,',
    ...keywords.map((keyword) => `        ${keyword},`),
    '    )',
  ];
  const assigned = (to: string, [first, ...lines]: string[]) => [`    ${to} = ${first!.trim()}`, ...lines];
  const own = withoutDropout(parts);
  return [
    'def load_model():',
    ...(own
      ? [
          ...assigned('config', call('AutoConfig', [...shared, ...ofHead])),
          '    # The run was made without the dropout of the model.',
          '    for name, value in config.to_dict().items():',
          '        if "drop" in name and isinstance(value, float):',
          '            setattr(config, name, 0.0)',
        ]
      : []),
    ...assigned('model', call(autoClass, [...shared, 'dtype=DTYPE', ...(own ? ['config=config'] : ofHead)])),
    ...(task ? ['    model.config.get_text_config().pad_token_id = PAD'] : []),
    ...(parts.startTensors && parts.method.leaves === 'model'
      ? ['    model.load_state_dict(load_file(HERE / "init_tensors.safetensors"), strict=False)']
      : []),
    '    return model',
  ].join('\n');
}

/** Labels are numbers in Python. */
const headLiteral = (key: string, value: Json): string =>
  key === 'id2label'
    ? `{${Object.entries(value as object)
        .map(([id, label]) => `${id}: ${pythonLiteral(label)}`)
        .join(', ')}}`
    : pythonLiteral(value);

const saving = ({ method, data }: ScriptParts) => `def save(trainer):
    """What was trained, ready to be opened."""
    ${method.save?.(data.recipe.method) ?? `trainer.save_model(str(Path(trainer.args.output_dir) / "${method.leaves}"))`}`;

/** Without a GPU, transformers ignores fp16 and does not say so. */
const precision = (fp16: boolean): string =>
  fp16
    ? `    fp16 = torch.accelerator.is_available()
    if not fp16:
        print("fp16 is off, since there is no GPU: products are in 32 bits.", flush=True)
`
    : '    fp16 = False\n';

function main({ objective, method, data }: ScriptParts, settings: Settings): string {
  const { trainer } = objective;
  const evaluates = data.validation.length > 0;
  const keywords = Object.entries(settings).map(([key, value]) => `        ${key}=${pythonLiteral(value)},`);
  return `def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", default=str(HERE / "output"), help="where checkpoints and the result go")
    parser.add_argument("--resume", metavar="CHECKPOINT", help="a checkpoint folder to go on from")
    options = parser.parse_args()
    if os.environ.get("RANK", "0") == "0":
        print(f"{WORLD_SIZE} process(es), each with {ACCUMULATION} x {MICRO_BATCH} rows a step", flush=True)
${precision(data.recipe.training.fp16)}    # Before the model: DeepSpeed's ZeRO-3 divides it while it is loaded.
    args = ${trainer.config}(
        output_dir=options.output,
        per_device_train_batch_size=MICRO_BATCH,
        per_device_eval_batch_size=MICRO_BATCH,
        gradient_accumulation_steps=ACCUMULATION,
${keywords.join('\n')}
        fp16=fp16,
        eval_on_start=${evaluates ? 'options.resume is None' : 'False'},
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
        processing_class=tokenizer,
    )
    trainer.train(resume_from_checkpoint=options.resume)
    trainer.finish()`;
}

export type { Json, Python };
