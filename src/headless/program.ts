/** What `npm run headless` does, in a page or in Node: runs a recipe unattended. See protocol.ts for who calls whom. */
import { formatBytes } from '../base/bytes';
import { TabtuneError } from '../base/errors';
import type { DataProblem, ParsedDataset, TokenizedDataset } from '../data/types';
import { usageSentence } from '../data/usage';
import { type ExportId, exportBy, exports, isExportId } from '../exports';
import type { ExportProgress } from '../exports/export';
import { metricsLine } from '../exports/run-metrics';
import type { Download, HubSettings } from '../hub/descriptions';
import { leavesModel, methodOf } from '../methods';
import { checkRecipe, resolveRecipe } from '../recipe/defaults';
import { parseRecipe } from '../recipe/schema';
import type { Recipe } from '../recipe/types';
import { rewardsOf } from '../rewards';
import type { Connection } from '../rpc/rpc';
import type { DeviceReport, ModelInfo, RunSummary, Session, TrainEvent } from '../session/api';
import { allowCode } from '../session/code-consent';
import { createSession } from '../session/session';
import { allChoices, keepAllChoices } from '../storage/kernel-choices';
import type { RunRecord } from '../storage/types';
import type { EngineApi } from '../workers/engine/api';
import { answered, askTrained, type EngineCalls } from './engine-checks';
import { host, tell } from './host';
import { filesOf, importAdapters, importMix } from './inputs';
import type {
  CheckedInput,
  HeadlessPage,
  Measurements,
  MeasureOptions,
  Outcome,
  RunOptions,
  RunOutput,
  SelfInstructOptions,
  SelfInstructOutput,
} from './protocol';
import { selfInstruct } from './self-instruct';
import { fp16Note, summaryOf, type WrittenExport } from './summary';

/** Small enough for one message, and a multiple of 3, so that base64 pieces can be concatenated. */
const PIECE = 3 * 2 ** 20;

async function outcome<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (cause) {
    const error = TabtuneError.from(cause, { code: 'internal', message: 'Something went wrong inside Tabtune.' });
    return { ok: false, error: error.toData() };
  }
}

function check(recipeText: string, ids: string[]): CheckedInput {
  const input = parseRecipe(recipeText);
  const recipe = resolveRecipe(input);
  assertExports(ids, recipe, null);
  return { recipe, notes: checkRecipe(input).notes.map(({ where, message }) => `${where}: ${message}`) };
}

/** Before anything is trained: an export that is not possible would be known only at the end. */
function assertExports(ids: readonly string[], { method, objective }: Recipe, family: string | null): void {
  for (const id of ids) {
    if (!isExportId(id)) {
      throw new TabtuneError({
        code: 'bad_recipe',
        message: `There is no export ${id}.`,
        where: '--export',
        action: `There are ${exports.map((one) => one.id).join(', ')}.`,
      });
    }
    const refusal = exportBy(id).refusal({ method, objective: objective.type, family });
    if (refusal !== null) throw new TabtuneError({ code: 'bad_recipe', message: refusal, where: `--export ${id}` });
  }
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
    void tell({ type: 'progress', text: `loading the model: ${formatBytes(loaded)} of ${formatBytes(total)}` });
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
      const speed = rate === null ? '' : `, ${formatBytes(rate)}/s`;
      const left = secondsLeft === null ? '' : `, ${Math.ceil(secondsLeft)} s left`;
      const text = `downloading the model: ${formatBytes(loaded)} of ${formatBytes(total)}${speed}${left}`;
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
async function takeIn(session: Session, { recipe, modelFolder, adapterFolder, rewardFolder }: RunOptions) {
  let { model, dataset } = recipe;
  const [file] = filesOf('dataset', '');
  if (file) dataset = { ...dataset, source: await session.importDataset(file.file) };
  dataset = { ...dataset, mix: await importMix(session, recipe.dataset, dataset.source) };
  const [baseText] = filesOf('base-text', '');
  if (baseText) dataset = { ...dataset, base_text: await session.importDataset(baseText.file) };
  await tell({ type: 'progress', text: 'reading the dataset' });
  const parsed = await session.openDataset(dataset);
  const info = await openModel(session, model, modelFolder);
  model = { ...model, source: info.source };
  const { method, objective } = await importAdapters(session, recipe, { adapterFolder, rewardFolder });
  return { recipe: { ...recipe, model, dataset, method, objective }, parsed, info };
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

async function sendFile(path: string, blob: Blob): Promise<void> {
  for (let start = 0; start === 0 || start < blob.size; start += PIECE) {
    const piece = new Uint8Array(await blob.slice(start, start + PIECE).arrayBuffer());
    let text = '';
    for (let i = 0; i < piece.length; i += 0x8000) text += String.fromCharCode(...piece.subarray(i, i + 0x8000));
    await tell({ type: 'file', path, base64: btoa(text) });
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
        if (event.run.fp16) void tell({ type: 'note', text: fp16Note(event.run.fp16) });
        break;
      case 'metrics': {
        void tell({ type: 'row', row: metricsLine(event.row) });
        const figure =
          event.row.kind === 'step'
            ? `training loss ${event.row.loss.toFixed(4)}`
            : `validation loss ${event.row.eval_loss.toFixed(4)}`;
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
      case 'rollouts':
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

/** Where an export lies in the output folder. */
function folderOf(id: ExportId, all: readonly ExportId[]): string {
  if (id === 'peft') return 'adapter';
  const merged = (other: ExportId) => exportBy(other).variant?.of === 'merged';
  return merged(id) && all.filter(merged).length === 1 ? 'model' : id;
}

/** Writes each export into its folder. Throws where one is not possible or does not compute what was trained. */
async function exportAll(session: Session, ids: readonly ExportId[], recipe: Recipe): Promise<WrittenExport[]> {
  const written: WrittenExport[] = [];
  for (const id of ids) {
    const onProgress = ({ phase, done, total }: ExportProgress) => {
      const text = phase === 'checking' ? 'comparing' : `writing, ${formatBytes(done)} of ${formatBytes(total)}`;
      void tell({ type: 'progress', text: `${id}: ${text}` });
    };
    const { files, fileName, notes, proof } = await session.exportAs(id, { onProgress, withoutBase: true, recipe });
    await tellNotes(id, notes);
    const folder = folderOf(id, ids);
    const named = files.length === 1 && !fileName.endsWith('.zip') ? [{ ...files[0]!, path: fileName }] : files;
    for (const { path, blob } of named) await sendFile(`${folder}/${path}`, blob);
    written.push({
      id,
      proof,
      files: named.map(({ path, blob }) => ({ path: `${folder}/${path}`, bytes: blob.size })),
    });
  }
  return written;
}

/** A session with direct access to its engine, for calls that only checks need. */
function open(kernels = 'auto'): { session: Session; engine(): EngineCalls } {
  let engine: Connection<EngineApi> | null = null;
  const session = createSession({
    ...host().parts,
    kernels: { text: kernels, where: '--kernels' },
    connectEngine: () => {
      engine = host().parts.connectEngine();
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
    const answers = await answered(engine(), greedy, 0);
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

/** Opens the GPU, and the Hub if it is needed. */
async function begin(session: Session, hub: HubSettings | null): Promise<DeviceReport> {
  const device = await session.device();
  if (device.problem) throw TabtuneError.fromData(device.problem);
  if (hub) {
    host().restrict(hub.endpoint);
    await session.setHubSettings(hub);
    // Clean up after a run that was killed.
    await tidy(session);
  }
  return device;
}

async function run(options: RunOptions): Promise<RunOutput> {
  const { session, engine } = open(options.kernels);
  try {
    const device = await begin(session, options.hub);
    // Whoever gives a recipe on the command line has agreed to its code.
    for (const reward of rewardsOf(options.recipe.objective)) if (reward.type === 'javascript') allowCode(reward.code);
    const { recipe, parsed, info } = await takeIn(session, options);
    // A method that trains the model's own weights leaves a model, and no separate adapter.
    const own: ExportId = leavesModel(methodOf(recipe.method)) ? 'merged-f32' : 'peft';
    const given = options.exports.filter((id) => id !== own);
    const replaced = own === 'merged-f32' && given.some((id) => exportBy(id).variant?.of === 'merged');
    const ids = replaced || options.onlyExports ? given : [own, ...given];
    assertExports(ids, recipe, info.architecture);
    const tokenized: TokenizedDataset = await session.tokenize(recipe);
    await tellReading(parsed, info);
    if (device.software)
      await tell({ type: 'note', text: 'No GPU is in use: WebGPU is running in software, which is slow.' });
    await tellProblems([...parsed.problems, ...tokenized.problems]);
    const plan = await session.forecast(recipe);
    const [blocker] = plan.blockers;
    if (blocker) throw TabtuneError.fromData(blocker);
    await keepAllChoices(options.timed);
    const { summary, run } = await train(session, recipe);
    await tell({ type: 'kernels', kept: await allChoices() });
    const written = await exportAll(session, ids, recipe);

    const asked = await askTrained(engine(), options);
    // The sources as in the recipe file, not under this page's names.
    const { model, dataset, method } = summary.recipe;
    const asGiven: Recipe = {
      ...summary.recipe,
      objective: options.recipe.objective,
      model: { ...model, source: options.recipe.model.source },
      dataset: {
        ...dataset,
        source: options.recipe.dataset.source,
        mix: options.recipe.dataset.mix,
        base_text: options.recipe.dataset.base_text,
      },
      method:
        'init_adapter' in method && 'init_adapter' in options.recipe.method
          ? { ...method, init_adapter: options.recipe.method.init_adapter }
          : method,
    };
    return {
      summary: summaryOf({ ...summary, recipe: asGiven }, run, parsed, tokenized, plan, written),
      ...asked,
    };
  } finally {
    if (options.hub) await tidy(session).catch(() => {});
    session.close();
  }
}

async function writeExamples(options: SelfInstructOptions): Promise<SelfInstructOutput> {
  const { session } = open();
  try {
    await begin(session, options.hub);
    await openModel(session, options.model, options.modelFolder);
    return await selfInstruct(session, options, tell);
  } finally {
    if (options.hub) await tidy(session).catch(() => {});
    session.close();
  }
}

export const program: HeadlessPage = {
  check: (text, ids) => outcome(() => check(text, ids)),
  run: (options) => outcome(() => run(options)),
  measure: (options) => outcome(() => measure(options)),
  selfInstruct: (options) => outcome(() => writeExamples(options)),
};
