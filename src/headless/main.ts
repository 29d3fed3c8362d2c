/** Runs a recipe without a person: the page behind `npm run headless`. See protocol.ts for who calls whom. */
import { TabtuneError } from '../base/errors';
import type { DataProblem, TokenizedDataset } from '../data/types';
import { checkRecipe, resolveRecipe } from '../recipe/defaults';
import { parseRecipe } from '../recipe/schema';
import type { Recipe } from '../recipe/types';
import type { RunSummary, Session, TrainEvent } from '../worker/api';
import type { EngineApi } from '../worker/engine-api';
import { type Connection, connect } from '../worker/rpc';
import { createSession } from '../worker/session';
import type { CheckedInput, Message, Outcome, RunOptions, RunOutput } from './protocol';
import { metricsLine, summaryOf } from './summary';

/** Small enough for one message, and a multiple of 3, so that pieces of base64 can be put one after another. */
const PIECE = 3 * 2 ** 20;

const tell = (message: Message) => window.tabtuneTell(message);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

async function outcome<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (cause) {
    const error = TabtuneError.from(cause, { code: 'internal', message: 'Something went wrong inside Tabtune.' });
    return { ok: false, error: error.toData() };
  }
}

function check(recipeText: string): CheckedInput {
  const input = parseRecipe(recipeText);
  const recipe = resolveRecipe(input);
  return { recipe, notes: checkRecipe(input).notes.map(({ where, message }) => `${where}: ${message}`) };
}

function filesOf(input: string, folder: string): { path: string; file: File }[] {
  const files = document.querySelector<HTMLInputElement>(`#${input}`)?.files ?? [];
  return Array.from(files, (file) => ({ path: `${folder}/${file.name}`, file }));
}

/**
 * Dropped into the session as a person would drop them; the recipe then names them as the session does. The dataset
 * comes first: one that cannot be used is told before a large model is loaded.
 */
async function takeIn(session: Session, { recipe, modelFolder, adapterFolder }: RunOptions) {
  let { model, dataset, method } = recipe;
  const [file] = filesOf('dataset', '');
  if (file) dataset = { ...dataset, source: await session.importDataset(file.file) };
  await tell({ type: 'progress', text: 'reading the dataset' });
  const { problems } = await session.openDataset(dataset);
  if (modelFolder !== null) model = { ...model, source: await session.importModel(filesOf('model', modelFolder)) };
  await session.openModel(model.source, (loaded, total) => {
    void tell({ type: 'progress', text: `loading the model: ${megabytes(loaded)} of ${megabytes(total)}` });
  });
  if (adapterFolder !== null) {
    const { name } = await session.importAdapter(filesOf('adapter', adapterFolder));
    method = { ...method, init_adapter: `file:${name}` };
  }
  return { recipe: { ...recipe, model, dataset, method }, problems };
}

/** Problems of the data, one line for each kind: a file may have thousands. */
async function tellProblems(problems: DataProblem[]): Promise<void> {
  const kinds = new Map<string, DataProblem[]>();
  for (const problem of problems) kinds.set(problem.code, [...(kinds.get(problem.code) ?? []), problem]);
  for (const same of kinds.values()) {
    const { message, action, row } = same[0]!;
    const more = same.length > 1 ? ` (and ${same.length - 1} more)` : '';
    await tell({ type: 'note', text: `dataset${row ? `, row ${row}` : ''}: ${message} ${action}${more}` });
  }
}

async function sendFile(path: string, bytes: Uint8Array): Promise<void> {
  for (let start = 0; start === 0 || start < bytes.length; start += PIECE) {
    const piece = bytes.subarray(start, start + PIECE);
    let text = '';
    for (let i = 0; i < piece.length; i += 0x8000) text += String.fromCharCode(...piece.subarray(i, i + 0x8000));
    await tell({ type: 'file', path, base64: btoa(text) });
  }
}

/** Trains to the end; throws what the run failed with. */
async function train(session: Session, recipe: Recipe): Promise<RunSummary> {
  let summary: RunSummary | null = null;
  let failure: TabtuneError | null = null;
  let totalSteps = 0;
  const onEvent = (event: TrainEvent) => {
    switch (event.type) {
      case 'started':
        totalSteps = event.totalSteps;
        break;
      case 'metrics': {
        void tell({ type: 'row', row: metricsLine(event.row) });
        const figure =
          event.row.kind === 'step' ? `loss ${event.row.loss.toFixed(4)}` : `eval ${event.row.eval_loss.toFixed(4)}`;
        const rate = `${event.tokensPerSecond.toFixed(0)} tokens/s`;
        const left = `${Math.ceil(event.secondsLeft)} s left`;
        void tell({ type: 'progress', text: `step ${event.row.step} of ${totalSteps}, ${figure}, ${rate}, ${left}` });
        break;
      }
      case 'finished':
        summary = event.summary;
        break;
      case 'failed':
        failure = TabtuneError.fromData(event.error);
        break;
      case 'samples':
      case 'checkpoint':
      case 'state':
        break;
      default:
        event satisfies never;
    }
  };
  const unsubscribe = session.subscribe(onEvent);
  try {
    await session.train(recipe);
  } finally {
    unsubscribe();
  }
  if (failure) throw failure;
  if (!summary) throw new TabtuneError({ code: 'internal', message: 'The run ended without a summary.' });
  return summary;
}

async function run(options: RunOptions): Promise<RunOutput> {
  // Held here as well as by the session: logits are asked of the engine itself, the screen never needs them.
  let engine: Connection<EngineApi> | null = null;
  const session = createSession({
    connectEngine: () => {
      const worker = new Worker(new URL('../worker/engine-worker.ts', import.meta.url), {
        type: 'module',
        name: 'engine',
      });
      engine = connect<EngineApi>(worker, { name: 'engine' });
      return engine;
    },
  });
  try {
    const device = await session.device();
    if (device.problem) throw TabtuneError.fromData(device.problem);
    const { recipe, problems } = await takeIn(session, options);
    const tokenized: TokenizedDataset = await session.tokenize(recipe);
    if (device.software)
      await tell({ type: 'note', text: 'No GPU is used: WebGPU runs in software here, which is slow.' });
    await tellProblems([...problems, ...tokenized.problems]);
    const summary = await train(session, recipe);
    const { files } = await session.exportAdapter();
    for (const { path, bytes } of files) await sendFile(path, bytes);

    const logits: RunOutput['logits'] = [];
    for (const input_ids of options.logitsOf) {
      const at = async (strength: number) => Array.from(await engine!.api.logits(Int32Array.from(input_ids), strength));
      logits.push({ input_ids, base_logits: await at(0), logits: await at(1) });
    }
    // As the recipe file has them, not as this page calls the files.
    const { model, dataset, method } = summary.recipe;
    const given: Recipe = {
      ...summary.recipe,
      model: { ...model, source: options.recipe.model.source },
      dataset: { ...dataset, source: options.recipe.dataset.source },
      method: { ...method, init_adapter: options.recipe.method.init_adapter },
    };
    return { summary: summaryOf({ ...summary, recipe: given }, tokenized, files), logits };
  } finally {
    session.close();
  }
}

window.tabtune = {
  check: (text) => outcome(() => check(text)),
  run: (options) => outcome(() => run(options)),
};
