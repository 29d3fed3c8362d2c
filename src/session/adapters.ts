/** The adapter on the open model: loaded from a run, imported from a folder or zip, and exported. */
import { chunk } from '../base/chunks';
import { TabtuneError } from '../base/errors';
import type { ModelCardInput } from '../exports/model-card';
import type { AdapterFiles } from '../formats/adapter-format';
import { isAdapterHub } from '../formats/adapterhub';
import { readPeftFolder } from '../formats/peft';
import { baseModelName } from '../hub/hub-id';
import { checkpointInfo } from '../storage/checkpoints';
import { getRun, readMetrics } from '../storage/runs';
import type { RunRecord } from '../storage/types';
import type { AdapterExport, DeviceReport } from './api';
import { answerLimit, type EngineHost } from './engine-host';
import { type ModelSession, type OpenModel, tokenizerFileNames } from './models';
import type { Reader } from './reader';
import { storedName } from './stored-name';

type NamedFile = { path: string; file: File };
type NamedBytes = { path: string; bytes: Uint8Array };

export interface AdapterNeeds {
  engine: EngineHost;
  models: ModelSession;
  reader: Reader;
  device(): Promise<DeviceReport>;
}

const cards = chunk(() => import('../exports/model-card'));

const encode = (text: string) => new TextEncoder().encode(text);

export class AdapterSession {
  /** Adapters opened in this tab, by source; `method.init_adapter` may refer to them. */
  private readonly opened = new Map<string, AdapterFiles>();

  constructor(private readonly needs: AdapterNeeds) {}

  /** Loads a run's best checkpoint onto the model it was trained on. */
  async openRun(runId: string): Promise<RunRecord> {
    const record = await getRun(runId);
    const kept = (await checkpointInfo(runId, 'best')) ?? (await checkpointInfo(runId, 'latest'));
    if (!record || !kept) {
      throw new TabtuneError({
        code: 'storage',
        message: record ? `“${record.name}” ended before anything was saved.` : 'This run is no longer stored.',
        action: 'Start the run again with its recipe.',
      });
    }
    const { source } = record.recipe.model;
    const open = this.needs.models.current ?? (await this.needs.models.ensure(record.recipe.model));
    if (open.source !== source) {
      throw new TabtuneError({
        code: 'bad_adapter',
        message: `“${record.name}” was trained on another model, not on ${open.info.title}.`,
        where: source,
        action: 'Open that model first, then open the run again.',
      });
    }
    await this.needs.engine.attach({ kind: 'run', runId, recipe: record.recipe });
    return record;
  }

  async import(files: NamedFile[]): Promise<{ name: string; trainableParameters: number }> {
    const { name, adapter } = await readAdapter(files, this.needs.reader);
    this.needs.models.require();
    const { trainableParameters } = await this.needs.engine.attach({ kind: 'files', files: adapter, name });
    this.opened.set(`file:${name}`, adapter);
    return { name, trainableParameters };
  }

  /** The adapter files for `method.init_adapter`. */
  async files(source: string): Promise<AdapterFiles> {
    const files = this.opened.get(source);
    if (files) return files;
    throw new TabtuneError({
      code: 'bad_adapter',
      message: `The adapter ${source.replace(/^file:/, '')} is not open in this tab.`,
      where: 'method.init_adapter',
      action: 'Open its folder or zip first, or set method.init_adapter to null.',
    });
  }

  /** A self-contained adapter folder: weights, config, tokeniser, template, recipe and model card. */
  async export(): Promise<AdapterExport> {
    const { engine, models } = this.needs;
    const origin = engine.currentAdapter;
    if (!origin) {
      throw new TabtuneError({
        code: 'bad_adapter',
        message: 'There is no adapter to export yet.',
        action: 'Train one first, or open a finished run.',
      });
    }
    const model = models.require();
    const { files: own, notes } = await engine.use((api) => api.exportAdapter(), answerLimit);
    const files: NamedBytes[] = [...own, ...(await tokenizerOf(model))];
    if (origin.kind === 'files') return { name: origin.name, files, notes };
    const { recipe, runId } = origin;
    const record = await getRun(runId);
    files.push({ path: 'recipe.json', bytes: encode(`${JSON.stringify(recipe, null, 2)}\n`) });
    if (record) {
      const { modelCard } = await cards();
      files.push({ path: 'README.md', bytes: encode(modelCard({ ...(await this.card(record, model)), notes })) });
    }
    return { name: folderName(recipe.name), files, notes };
  }

  /** The model card's data for a run. */
  async card(record: RunRecord, model: OpenModel): Promise<ModelCardInput> {
    const rows = await readMetrics(record.id);
    const last = rows.filter((row) => row.kind === 'step').at(-1);
    const evals = rows.filter((row) => row.kind === 'eval');
    const best = evals.find(({ step }) => step === record.bestStep) ?? evals.at(-1);
    const { vendor, architecture, description } = await this.needs.device();
    const licence = model.info.licence.trim();
    return {
      name: record.name,
      baseModel: model.folder.baseModel ?? baseModelName(model.source),
      licence: licence === '' || /^unknown$/i.test(licence) ? null : licence,
      recipe: record.recipe,
      family: model.info.architecture,
      labels: record.task?.labels,
      metrics: best?.metrics,
      initialEvalLoss: record.initialEvalLoss,
      bestEvalLoss: record.bestEvalLoss,
      bestStep: record.bestStep,
      finalLoss: record.finalLoss,
      steps: record.step,
      changedAt: record.changes?.map(({ step }) => step),
      tokens: last?.tokens ?? 0,
      seconds: last?.seconds ?? 0,
      trainableParameters: record.trainableParameters,
      totalParameters: record.totalParameters,
      device: description || [vendor, architecture].filter(Boolean).join(' ') || 'WebGPU',
      // The build defines this constant; unit tests run without it.
      version: typeof __TABTUNE_VERSION__ === 'string' ? __TABTUNE_VERSION__ : '0',
    };
  }
}

/** Turns a recipe's name into a folder name that is valid on any system. */
export function folderName(name: string): string {
  const clean = storedName(name, 'adapter').replace(/[<>:"/\\|?*\s]+/g, '-');
  return clean.replace(/^-+|[-.]+$/g, '') || 'adapter';
}

async function tokenizerOf({ folder }: OpenModel): Promise<NamedBytes[]> {
  const names = tokenizerFileNames.filter((name) => folder.has(name));
  return Promise.all(names.map(async (path) => ({ path, bytes: new Uint8Array(await folder.bytes(path)) })));
}

/** Reads only the adapter's files from a folder, which may also contain another trainer's checkpoint. */
async function readAdapter(files: NamedFile[], reader: Reader): Promise<{ name: string; adapter: AdapterFiles }> {
  const only = files.length === 1 ? files[0]! : null;
  const bytesOf = async (file: File) => {
    try {
      return new Uint8Array(await file.arrayBuffer());
    } catch (cause) {
      throw TabtuneError.from(cause, {
        code: 'bad_adapter',
        message: `${file.name} could not be read.`,
        where: file.name,
        action: 'Check that the file is still there and has not changed, then open it again.',
      });
    }
  };
  if (only && /\.zip$/i.test(only.path)) {
    const entries = await reader.unzip(only.file, FILES, { where: only.file.name, code: 'bad_adapter' });
    return { name: adapterName(only.file.name.replace(/\.zip$/i, '')), adapter: checked(entries) };
  }
  const wanted = files.filter(({ path }) => FILES.test(path));
  const named = await Promise.all(
    wanted.map(async ({ path, file }) => ({
      path,
      // Refused by name, so there is no need to read what may be gigabytes.
      bytes: path.endsWith('.bin') ? new Uint8Array() : await bytesOf(file),
    })),
  );
  const folder = wanted[0]?.path.split('/').at(-2);
  return { name: adapterName(folder ?? 'adapter'), adapter: checked(named) };
}

/** The files of PEFT and AdapterHub (pickles included, to refuse them), and Tabtune's labels.json. */
const FILES =
  /(^|\/)(adapter_(config\.json|model\.(safetensors|bin))|adapter\.safetensors|pytorch_adapter\.bin|head_config\.json|model_head\.safetensors|labels\.json)$/;

/** Throws if the files are not an adapter. Attaching it checks its contents and whether it fits the model. */
function checked(files: readonly NamedBytes[]): AdapterFiles {
  const wanted = files.filter(({ path }) => FILES.test(path));
  if (!isAdapterHub(wanted)) readPeftFolder(wanted);
  return wanted;
}

const adapterName = (name: string) => storedName(name, 'adapter');
