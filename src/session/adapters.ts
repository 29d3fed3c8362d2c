/** The adapter on the open model: loaded from a run, imported from a folder or zip, and exported. */
import { chunk } from '../base/chunks';
import { TabtuneError } from '../base/errors';
import type { ModelCardInput } from '../exports/model-card';
import type { AdapterFiles } from '../formats/adapter-format';
import { isAdapterHub } from '../formats/adapterhub';
import { ownFolder } from '../formats/own-folder';
import { readPeftFolder } from '../formats/peft';
import { baseModelName } from '../hub/hub-id';
import { methodOf } from '../methods';
import { checkpointInfo } from '../storage/checkpoints';
import { getRun, readMetrics } from '../storage/runs';
import type { RunRecord } from '../storage/types';
import type { DeviceReport } from './api';
import { answerLimit, type EngineHost } from './engine-host';
import type { ModelSession, OpenModel } from './models';
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

const ggufAdapters = chunk(() => import('../formats/gguf-adapter'));

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
    const { name, adapter } = await this.read(files);
    this.needs.models.require();
    const { trainableParameters } = await this.needs.engine.attach({ kind: 'files', files: adapter, name });
    this.opened.set(`file:${name}`, adapter);
    return { name, trainableParameters };
  }

  /** What files hold, as they are dropped: a folder, a zip or a GGUF file. Throws `bad_adapter`. */
  async read(files: NamedFile[]): Promise<{ name: string; adapter: AdapterFiles }> {
    const only = files.length === 1 ? files[0]! : null;
    if (!only || !/\.gguf$/i.test(only.path)) return readAdapter(files, this.needs.reader);
    // Its rows are in the order of the model's GGUF file, which follows from the model.
    const { adapterModel } = this.needs.models.require();
    const { readGgufAdapter } = await ggufAdapters();
    const file = { path: only.file.name, bytes: await bytesOf(only.file) };
    const adapter = readGgufAdapter(file, adapterModel);
    return { name: adapterName(only.file.name.replace(/\.gguf$/i, '')), adapter };
  }

  /** The adapter files for `method.init_adapter`: `file:NAME` of one that is open in this tab, or `run:ID` of a stored run. */
  async files(source: string): Promise<AdapterFiles> {
    const files = this.opened.get(source);
    if (files) return files;
    if (source.startsWith('run:')) return this.ofRun(source);
    throw new TabtuneError({
      code: 'bad_adapter',
      message: `The adapter ${source.replace(/^file:/, '')} is not open in this tab.`,
      where: 'method.init_adapter',
      action: 'Open its folder or zip first, or set method.init_adapter to null.',
    });
  }

  /** What a run left behind is what its record says: a finished run does not change. */
  private async ofRun(source: string): Promise<AdapterFiles> {
    const runId = source.slice('run:'.length);
    const record = await getRun(runId);
    const gone = (message: string, action: string) =>
      new TabtuneError({ code: 'bad_adapter', message, where: 'method.init_adapter', action });
    if (!record) {
      throw gone(
        'The run whose adapter is to be continued is no longer stored.',
        'Choose another, or set method.init_adapter to null.',
      );
    }
    const model = this.needs.models.require();
    if (record.recipe.model.source !== model.source) {
      throw gone(
        `“${record.name}” was trained on another model, not on ${model.info.title}.`,
        'Open that model, or set method.init_adapter to null.',
      );
    }
    if (!methodOf(record.recipe.method).files) {
      throw gone(
        `“${record.name}” trained the model itself, so it left no adapter to continue.`,
        'Merge and export it, and open the result as a model.',
      );
    }
    const files = await this.needs.engine.use((api) => api.runAdapter(runId, record.recipe), answerLimit);
    if (record.status === 'completed' || record.status === 'early_stopped') this.opened.set(source, files);
    return files;
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

async function bytesOf(file: File): Promise<Uint8Array> {
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
}

/** Reads only the adapter's files from a folder, which may also contain another trainer's checkpoint. */
async function readAdapter(files: NamedFile[], reader: Reader): Promise<{ name: string; adapter: AdapterFiles }> {
  const only = files.length === 1 ? files[0]! : null;
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

/** The files of PEFT, AdapterHub and mlx-lm (pickles included, to refuse them), and Tabtune's labels.json. */
const FILES =
  /(^|\/)(adapter_(config\.json|model\.(safetensors|bin))|adapters?\.safetensors|pytorch_adapter\.bin|head_config\.json|model_head\.safetensors|labels\.json)$/;

/** Throws if the files are not an adapter. Attaching it checks its contents and whether it fits the model. */
function checked(files: readonly NamedBytes[]): AdapterFiles {
  const wanted = ownFolder(files.filter(({ path }) => FILES.test(path)));
  if (!isAdapterHub(wanted)) readPeftFolder(wanted);
  return wanted;
}

const adapterName = (name: string) => storedName(name, 'adapter');
