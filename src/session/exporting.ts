/** Exports what is on the model: gives the destination's writer what it is made of, and keeps nothing of an export that failed. */
import { TabtuneError } from '../base/errors';
import type { PromptStyle } from '../data/prompt-style';
import { type Exported, type ExportId, exportBy } from '../exports';
import type { ExportJob, ExportSource } from '../exports/export';
import { fileName } from '../exports/names';
import type { TrainingData } from '../exports/trainers/training-data';
import { baseModelName } from '../hub/hub-id';
import { resolveRecipe } from '../recipe/defaults';
import type { Recipe } from '../recipe/types';
import { getRun } from '../storage/runs';
import { clearScratch, takeScratchFolder } from '../storage/scratch';
import type { AdapterSession } from './adapters';
import type { FinishedExport } from './api';
import { chatsOf } from './chats';
import type { DataHost } from './data-host';
import type { DataSession } from './datasets';
import { type AdapterOrigin, answerLimit, type EngineHost } from './engine-host';
import { ggufTokenizerOf } from './gguf-tokenizer';
import { kindOf } from './loaded-adapters';
import type { ModelSession, OpenModel } from './models';
import { proofTexts } from './proof-texts';
import type { Reader } from './reader';

export interface ExportNeeds {
  engine: EngineHost;
  data: DataHost;
  models: ModelSession;
  adapters: AdapterSession;
  reader: Reader;
  training(recipe: Recipe, signal?: AbortSignal): Promise<TrainingData>;
  datasets: DataSession;
  /** The recipe as its run has it. */
  continued(recipe: Recipe): Promise<Recipe>;
}

let scratch: Promise<string> | null = null;
let running = false;

/** One at a time: an export deletes what the one before has left. */
export async function exportAs(needs: ExportNeeds, id: ExportId, job: ExportJob): Promise<FinishedExport> {
  if (running) {
    throw new TabtuneError({
      code: 'storage',
      message: 'Another export is being written.',
      action: 'Wait until it is saved, or cancel it.',
    });
  }
  running = true;
  try {
    return await exportOne(needs, id, job);
  } finally {
    running = false;
  }
}

async function exportOne(needs: ExportNeeds, id: ExportId, job: ExportJob): Promise<FinishedExport> {
  const one = exportBy(id);
  scratch ??= takeScratchFolder();
  const folder = await scratch.catch((cause) => {
    scratch = null;
    throw cause;
  });
  const source = await sourceOf(needs, folder, one.needsTraining === false ? (job.recipe ?? null) : null);
  const refusal = one.refusal(source.exported);
  if (refusal !== null) {
    throw new TabtuneError({ code: 'bad_adapter', message: refusal, where: id, action: 'Choose another export.' });
  }
  // What the last export left: it has been saved, or is not wanted any more.
  await clearScratch(folder);
  try {
    const write = await one.writer();
    const { files, notes, proof, card } = await write(source, job);
    const name = one.fileName(source.fileName, source.exported);
    const bytes = files.reduce((sum, { blob }) => sum + blob.size, 0);
    return { id, fileName: name, files, notes, proof, bytes, ...(card && { card }) };
  } catch (cause) {
    await clearScratch(folder).catch(() => {});
    throw cause;
  }
}

/** `recipe`: what is to be trained, for exports of a run that need not have been made. */
async function sourceOf(needs: ExportNeeds, folder: string, recipe: Recipe | null): Promise<ExportSource> {
  const { engine, data, models, adapters, reader, training } = needs;
  const model = models.require();
  const origin = engine.currentAdapter;
  const run = origin?.kind === 'run' ? await getRun(origin.runId) : null;
  const exported = recipe
    ? { method: recipe.method, objective: recipe.objective.type, family: model.info.architecture }
    : exportedOf(origin, model);
  const name = recipe?.name ?? run?.name ?? (origin?.kind === 'files' ? origin.name : model.info.title);
  const { info, tokens } = model;
  const licence = info.licence.trim();
  const labels = model.adapterModel.headModules.length > 0 || run?.task != null;
  const style = () => promptStyleOf(needs, model, run?.recipe ?? null);
  const examples = run ? async () => (await needs.datasets.examples(run.recipe.dataset)).examples : null;
  let texts: Promise<Int32Array[]> | null = null;
  const proof = async (tolerance: Parameters<ExportSource['proveModel']>[1]) => {
    texts ??= proofTexts(model, data, run ?? null, labels);
    return { texts: await texts, tolerance };
  };
  let written = 0;
  /** What is on the model may be changed while an export works on something else. */
  const onModel = async <T>(...call: Parameters<typeof engine.use<T>>): Promise<T> => {
    const assertSame = () => {
      if (models.current === model && engine.currentAdapter === origin) return;
      throw new TabtuneError({
        code: 'bad_adapter',
        message: 'The model or its adapter was changed while it was being exported.',
        action: 'Nothing was saved. Export it again.',
      });
    };
    assertSame();
    const result = await engine.use(...call);
    assertSame();
    return result;
  };
  return {
    exported,
    name,
    fileName: fileName(name),
    hasAdapter: origin !== null,
    recipe: recipe ?? (origin?.kind === 'run' ? origin.recipe : null),
    card: run && !recipe ? await adapters.card(run, model) : null,
    model: {
      info,
      folder: model.folder,
      config: JSON.parse(await model.folder.text('config.json')) as Record<string, unknown>,
      base: { name: model.folder.baseModel ?? baseModelName(model.source), revision: model.folder.commit ?? null },
      licence: licence === '' || /^unknown$/i.test(licence) ? null : licence,
      padTokenId: tokens.padTokenId,
      endTokenIds: endTokensOf(tokens),
      quantization: model.quantization,
    },
    promptStyle: style,
    ...(info.kind === 'decoder' && !labels && { chats: chatsOf(model, data, style, examples) }),
    ...(recipe && { training: ({ signal }: ExportJob) => training(recipe, signal) }),
    tensors: () => onModel((api) => api.mergedTensors(), answerLimit),
    ggufTokenizer: (rows) => ggufTokenizerOf(model.folder, { rows, endTokenIds: endTokensOf(tokens) }, reader),
    async adapter() {
      if (!origin) {
        throw new TabtuneError({
          code: 'bad_adapter',
          message: 'There is no adapter to export yet.',
          action: 'Train one first, or open a finished run.',
        });
      }
      return onModel((api) => api.exportAdapter(), answerLimit);
    },
    writeModel: (layout, { onProgress, signal }) =>
      onModel((api) => api.writeModel(layout, { folder, name: `weights-${++written}` }, onProgress, signal)),
    async proveModel(files, tolerance, { onProgress, signal }) {
      const given = await proof(tolerance);
      const dropped = files.map(({ path, blob }) => ({ path, file: blob }));
      return onModel((api) => api.proveModel(dropped, given, onProgress, signal));
    },
    async proveAdapter(files, tolerance, { onProgress, signal }) {
      const given = await proof(tolerance);
      // By the door through which a person would bring them in.
      const { adapter } = await adapters.read(
        files.map(({ path, blob }) => ({ path, file: new File([blob], path.slice(path.lastIndexOf('/') + 1)) })),
      );
      return onModel((api) => api.proveAdapter(adapter, given, onProgress, signal));
    },
  };
}

const endTokensOf = ({ endOfTurnId, stopTokenIds }: OpenModel['tokens']): number[] => [
  ...new Set([...(endOfTurnId === null ? [] : [endOfTurnId]), ...stopTokenIds]),
];

/** As in Compare: a model without a chat template is asked as the data are written that were tokenised last, which are then the run's. */
async function promptStyleOf(
  { data, datasets, continued }: ExportNeeds,
  { tokenizer, info }: OpenModel,
  recipe: Recipe | null,
): Promise<PromptStyle | null> {
  if (info.hasChatTemplate || !recipe) return data.promptStyle(tokenizer);
  try {
    await datasets.tokenize(await continued(recipe));
  } catch {
    return null;
  }
  return data.promptStyle(tokenizer);
}

/** What is on the model; without an adapter, what the defaults would make of it. */
function exportedOf(origin: AdapterOrigin | null, { info }: OpenModel): Exported & { family: string } {
  const family = info.architecture;
  if (origin?.kind === 'run') {
    const { method, objective } = origin.recipe;
    return { method, objective: objective.type, family };
  }
  if (origin?.kind === 'files') {
    const { settings, objective } = kindOf(origin);
    return { method: settings, objective, family };
  }
  const { method, objective } = resolveRecipe({ version: 1 });
  return { method, objective: objective.type, family };
}
