/** The page behind `npm run headless`, which runs a recipe unattended. See protocol.ts for who calls whom. */
import { TabtuneError } from '../base/errors';
import { isFramed } from '../base/framed';
import type { DataProblem, ParsedDataset, TokenizedDataset } from '../data/types';
import { usageSentence } from '../data/usage';
import { exportsOf } from '../exports';
import type { Download } from '../hub/descriptions';
import { checkRecipe, resolveRecipe } from '../recipe/defaults';
import { parseRecipe } from '../recipe/schema';
import type { Recipe } from '../recipe/types';
import { type Connection, connect } from '../rpc/rpc';
import type { MergedDtype, MergedExport, ModelInfo, RunSummary, Session, TrainEvent } from '../session/api';
import { createSession } from '../session/session';
import type { RunRecord } from '../storage/types';
import type { EngineApi } from '../workers/engine/api';
import type { CheckedInput, Measurements, MeasureOptions, Message, Outcome, RunOptions, RunOutput } from './protocol';
import { metricsLine, summaryOf } from './summary';

/** Small enough for one message, and a multiple of 3, so that base64 pieces can be concatenated. */
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

async function openModel(
  session: Session,
  { source, quantization }: Recipe['model'],
  dropped: string | null,
  nested: MeasureOptions['nested'] = [],
): Promise<ModelInfo> {
  const inSubfolders = nested.map(({ path, text }) => ({ path: `${dropped}/${path}`, file: new File([text], path) }));
  const from = dropped === null ? source : await session.importModel([...filesOf('model', dropped), ...inSubfolders]);
  if (from.startsWith('hf:')) await download(session, from);
  const onProgress = (loaded: number, total: number) => {
    void tell({ type: 'progress', text: `loading the model: ${megabytes(loaded)} of ${megabytes(total)}` });
  };
  const info = await session.openModel(from, onProgress, quantization);
  await tellNotes('model', info.notes);
  return info;
}

async function tellNotes(about: string, notes: readonly string[] = []): Promise<void> {
  for (const note of notes) await tell({ type: 'note', text: `${about}: ${note}` });
}

async function download(session: Session, source: string): Promise<void> {
  const unwatch = session.watchDownloads(tellDownloads());
  try {
    await session.download(source);
  } finally {
    unwatch();
  }
}

/** Reports the progress of downloads, and each note once. */
function tellDownloads(): (downloads: Download[]) => void {
  const told = new Set<string>();
  return (downloads) => {
    for (const { state, file, loaded, total, rate, secondsLeft, note } of downloads) {
      if (note !== null && !told.has(note)) void tell({ type: 'note', text: note });
      if (note !== null) told.add(note);
      if (state === 'verifying') void tell({ type: 'progress', text: `verifying ${file}` });
      if (state !== 'downloading') continue;
      const speed = rate === null ? '' : `, ${megabytes(rate)}/s`;
      const left = secondsLeft === null ? '' : `, ${Math.ceil(secondsLeft)} s left`;
      const text = `downloading the model: ${megabytes(loaded)} of ${megabytes(total)}${speed}${left}`;
      void tell({ type: 'progress', text });
    }
  };
}

/** Deletes runs and imported files of earlier headless runs, but keeps Hub models. */
async function tidy(session: Session): Promise<void> {
  const { items } = await session.storage();
  for (const { id } of items) if (!id.startsWith('hf:')) await session.deleteStored(id);
}

/**
 * Imports the files into the session as if a person had dropped them, and puts the session's names into the recipe. The
 * dataset comes first, so that a bad one is reported before a large model is loaded.
 */
async function takeIn(session: Session, { recipe, modelFolder, adapterFolder }: RunOptions) {
  let { model, dataset, method } = recipe;
  const [file] = filesOf('dataset', '');
  if (file) dataset = { ...dataset, source: await session.importDataset(file.file) };
  const [baseText] = filesOf('base-text', '');
  if (baseText) dataset = { ...dataset, base_text: await session.importDataset(baseText.file) };
  await tell({ type: 'progress', text: 'reading the dataset' });
  const parsed = await session.openDataset(dataset);
  const info = await openModel(session, model, modelFolder);
  model = { ...model, source: info.source };
  if (adapterFolder !== null) {
    const { name } = await session.importAdapter(filesOf('adapter', adapterFolder));
    if (!('init_adapter' in method)) throw noAdapter(method.type);
    method = { ...method, init_adapter: `file:${name}` };
  }
  return { recipe: { ...recipe, model, dataset, method }, parsed, info };
}

/** What was made of the dataset and what the model's template leaves out. Told once nothing can refuse them any more: a refusal is one line. */
async function tellReading(parsed: ParsedDataset, info: ModelInfo): Promise<void> {
  await tell({ type: 'note', text: `dataset: ${parsed.detected} ${usageSentence(parsed)}` });
  if (parsed.leftOut > 0) {
    const { leftOut, totalRows } = parsed;
    const share = ((100 * leftOut) / totalRows).toFixed(leftOut < totalRows / 100 ? 2 : 0);
    await tell({ type: 'note', text: `dataset: ${leftOut} of ${totalRows} rows (${share} %) were left out.` });
  }
  if (info.templateGaps.length > 0) {
    await tell({ type: 'note', text: `model: its chat template ${info.templateGaps.join('; ')}.` });
  }
}

const noAdapter = (method: string) =>
  new TabtuneError({
    code: 'bad_recipe',
    message: `${method} cannot continue from an adapter.`,
    where: 'method.type',
    action: 'Remove the adapter, or use the method it was trained with.',
  });

/** Prints data problems, one line per kind, because a file may have thousands. */
async function tellProblems(problems: DataProblem[]): Promise<void> {
  const kinds = new Map<string, DataProblem[]>();
  for (const problem of problems) kinds.set(problem.code, [...(kinds.get(problem.code) ?? []), problem]);
  for (const same of kinds.values()) {
    const { message, action, row } = same[0]!;
    const more = same.length > 1 ? ` (and ${same.length - 1} more)` : '';
    await tell({ type: 'note', text: `dataset${row ? `, row ${row}` : ''}: ${message} ${action}${more}` });
  }
}

async function sendFile(folder: 'adapter' | 'model', path: string, blob: Blob): Promise<void> {
  for (let start = 0; start === 0 || start < blob.size; start += PIECE) {
    const piece = new Uint8Array(await blob.slice(start, start + PIECE).arrayBuffer());
    let text = '';
    for (let i = 0; i < piece.length; i += 0x8000) text += String.fromCharCode(...piece.subarray(i, i + 0x8000));
    await tell({ type: 'file', folder, path, base64: btoa(text) });
  }
}

/** Trains to the end. Throws if the run fails. */
async function train(session: Session, recipe: Recipe): Promise<{ summary: RunSummary; run: RunRecord }> {
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
    const run = await session.train(recipe);
    if (failure) throw failure;
    if (!summary) throw new TabtuneError({ code: 'internal', message: 'The run ended without a summary.' });
    return { summary, run };
  } finally {
    unsubscribe();
  }
}

async function merge(session: Session, dtype: MergedDtype): Promise<MergedExport> {
  const merged = await session.exportMerged(dtype, ({ phase, done, total }) => {
    const text =
      phase === 'checking' ? 'checking the merged model' : `merging, ${megabytes(done)} of ${megabytes(total)}`;
    void tell({ type: 'progress', text });
  });
  await tellNotes('merged model', merged.notes);
  for (const { path, blob } of merged.files) await sendFile('model', path, blob);
  return merged;
}

/** A session with direct access to its engine, for calls that only checks need. */
function open(): { session: Session; engine(): Connection<EngineApi>['api'] } {
  let engine: Connection<EngineApi> | null = null;
  const session = createSession({
    connectEngine: () => {
      const worker = new Worker(new URL('../workers/engine/engine-worker.ts', import.meta.url), {
        type: 'module',
        name: 'engine',
      });
      engine = connect<EngineApi>(worker, { name: 'engine' });
      return engine;
    },
  });
  return { session, engine: () => engine!.api };
}

async function measure({ model, modelFolder, greedy, lossOf, embed, nested }: MeasureOptions): Promise<Measurements> {
  const { session, engine } = open();
  try {
    const device = await session.device();
    if (device.problem) throw TabtuneError.fromData(device.problem);
    const info = await openModel(session, model, modelFolder, nested);
    const answers: number[][] = [];
    for (const { prompt, tokens } of greedy) {
      await tell({ type: 'progress', text: `answering prompt ${answers.length + 1} of ${greedy.length}` });
      const settings = { maxNewTokens: tokens, temperature: 0, topP: 1, seed: 0, adapterStrength: 0, stopTokenIds: [] };
      answers.push(Array.from(await engine().generate(Int32Array.from(prompt), settings, () => {})));
    }
    const losses: number[] = [];
    for (const ids of lossOf) losses.push(await engine().textLoss(Int32Array.from(ids)));
    return {
      model: { architecture: info.architecture, parameters: info.parameters, dtype: info.dtype },
      greedy: answers,
      losses,
      embeddings: (await session.embed(embed)).map((vector) => Array.from(vector)),
    };
  } finally {
    session.close();
  }
}

async function run(options: RunOptions): Promise<RunOutput> {
  const { session, engine } = open();
  try {
    const device = await session.device();
    if (device.problem) throw TabtuneError.fromData(device.problem);
    if (options.hub) {
      await session.setHubSettings(options.hub);
      // Clean up after a run that was killed.
      await tidy(session);
    }
    const { recipe, parsed, info } = await takeIn(session, options);
    const tokenized: TokenizedDataset = await session.tokenize(recipe);
    await tellReading(parsed, info);
    if (device.software)
      await tell({ type: 'note', text: 'No GPU is in use: WebGPU is running in software, which is slow.' });
    await tellProblems([...parsed.problems, ...tokenized.problems]);
    const plan = await session.forecast(recipe);
    const [blocker] = plan.blockers;
    if (blocker) throw TabtuneError.fromData(blocker);
    const { summary, run } = await train(session, recipe);
    const trained = { method: recipe.method.type, objective: recipe.objective.type };
    // A method that trains the model's own weights leaves a model, and no separate adapter.
    const adapter = exportsOf(trained).some(({ id }) => id === 'adapter');
    const { files, notes } = adapter ? await session.exportAdapter() : { files: [], notes: [] };
    await tellNotes('adapter', notes);
    for (const { path, bytes } of files) await sendFile('adapter', path, new Blob([bytes as BlobPart]));
    const precision = options.merged ?? (adapter ? null : 'F32');
    const merged = precision ? await merge(session, precision) : null;

    const logits: RunOutput['logits'] = [];
    for (const input_ids of options.logitsOf) {
      const at = async (strength: number) => Array.from(await engine().logits(Int32Array.from(input_ids), strength));
      logits.push({ input_ids, base_logits: await at(0), logits: await at(1) });
    }
    // The sources as in the recipe file, not under this page's names.
    const { model, dataset, method } = summary.recipe;
    const given: Recipe = {
      ...summary.recipe,
      model: { ...model, source: options.recipe.model.source },
      dataset: {
        ...dataset,
        source: options.recipe.dataset.source,
        base_text: options.recipe.dataset.base_text,
      },
      method:
        'init_adapter' in method && 'init_adapter' in options.recipe.method
          ? { ...method, init_adapter: options.recipe.method.init_adapter }
          : method,
    };
    return { summary: summaryOf({ ...summary, recipe: given }, run, parsed, tokenized, plan, files, merged), logits };
  } finally {
    if (options.hub) await tidy(session).catch(() => {});
    session.close();
  }
}

// Nothing here may be asked by a page around this one.
if (isFramed()) throw new Error('Tabtune does not start inside another page.');

window.tabtune = {
  check: (text) => outcome(() => check(text)),
  run: (options) => outcome(() => run(options)),
  measure: (options) => outcome(() => measure(options)),
};
