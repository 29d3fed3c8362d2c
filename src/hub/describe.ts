/**
 * Describes a Hub model before anything large is fetched: its card, whether it may be read, and each way to download
 * it. Each choice is checked like a dropped folder (config, tokenizer, weight headers) with range requests.
 */

import { COMPLETE_FOLDER, OTHER_MODEL } from '../base/bad-model';
import { type ErrorData, TabtuneError } from '../base/errors';
import { parseUntrusted } from '../base/json';
import { checkModelFolder } from './check';
import type { HubChoice, HubHit, HubModel } from './descriptions';
import { withGguf } from './gguf/with-gguf';
import type { HubClient } from './hub-client';
import { AccessError } from './hub-errors';
import { type HubReference, hubSource } from './hub-id';
import type { RepositoryFile, RepositoryInfo } from './hub-info';
import { cardFiles, ggufFiles, ggufLabel, INDEX, noWeights, SINGLE, smallFiles } from './needed';
import type { PlanModel } from './plan';
import { remoteFolder } from './remote';
import { summarizeModel } from './summary';

export interface DescribeNeeds {
  client: HubClient;
  isDownloaded(source: string): Promise<boolean>;
  plan: PlanModel;
}

/** Everything needed to download one of the choices. */
export interface Described {
  model: HubModel;
  /** The Hub's refusal (`access`) if the files may not be read. */
  denied: AccessError | null;
  /** The files of each choice with their hashes, by source. */
  files: Map<string, RepositoryFile[]>;
}

/** Some repositories have twenty GGUF files. Those not planned within this time are returned without a plan. */
const PLANNING_MS = 2000;
const SHARD = /^[\w.-]+\.safetensors$/;

export async function describeHubModel(
  { client, isDownloaded, plan }: DescribeNeeds,
  reference: HubReference,
  signal?: AbortSignal,
): Promise<Described> {
  const info = await client.model(reference.id, reference.revision, signal);
  const { id, commit } = info;
  const model: HubModel = {
    id,
    revision: reference.revision ?? 'main',
    commit,
    url: `${client.endpoint}/${id}/tree/${commit}`,
    licence: info.licence,
    licenceUrl: info.licenceUrl,
    downloads: info.downloads,
    gated: info.gated,
    private: info.private,
    access: 'granted',
    facts: null,
    choices: [],
    problem: null,
  };
  const files = new Map<string, RepositoryFile[]>();
  const add = async (kind: HubChoice['kind'], label: string, dtype: string, list: RepositoryFile[]) => {
    const source = hubSource({ id, revision: commit, file: kind === 'gguf' ? label : null });
    files.set(source, list);
    const choice: HubChoice = {
      source,
      kind,
      label,
      dtype,
      files: list.map(({ name, size }) => ({ name, bytes: size })),
      bytes: list.reduce((sum, { size }) => sum + size, 0),
      downloaded: await isDownloaded(source),
      precisions: [],
      problem: null,
    };
    model.choices.push(choice);
    return choice;
  };
  // A model can be opened even if its memory cannot be planned.
  const planned = (what: Parameters<PlanModel>[0]) => plan(what).catch(() => []);
  /** Fills in one choice from its config and headers. `bad_model` becomes the choice's problem instead of an error. */
  const inspect = async (choice: HubChoice) => {
    try {
      const folder = remoteFolder(client, id, commit, files.get(choice.source)!, choice.source, signal);
      const checked = await checkModelFolder(await withGguf(folder));
      const summary = await summarizeModel(checked);
      choice.dtype = summary.dtype;
      choice.precisions = await planned({ config: checked.json, dtype: summary.dtype, kind: choice.kind });
      // The GGUF files of a repository are one model in different quantisations.
      if (choice.kind === 'gguf') {
        const enough = Date.now() + PLANNING_MS;
        for (const other of model.choices) {
          if (other === choice || other.kind !== 'gguf' || other.dtype === '' || Date.now() > enough) continue;
          other.precisions = await planned({ config: checked.json, dtype: other.dtype, kind: 'gguf' });
        }
      }
      const { architecture, parameters, contextLength, vocabSize, hiddenSize, layers } = summary;
      const { kind } = checked.family;
      model.facts ??= { architecture, kind, parameters, contextLength, vocabSize, hiddenSize, layers };
      model.licence ??= summary.licence === 'unknown' ? null : summary.licence;
    } catch (cause) {
      if (cause instanceof AccessError) throw cause;
      if (!(cause instanceof TabtuneError) || cause.code !== 'bad_model') throw cause;
      choice.problem = onTheHub(cause.toData());
    }
  };

  try {
    const all = await client.files(id, commit, signal);
    const weights = await safetensorsOf(client, id, commit, all, signal);
    const ggufs = ggufFiles(all);
    if (weights) {
      const choice = await add('safetensors', 'safetensors', '', [...smallFiles(all), ...weights]);
      if (reference.file === null) await inspect(choice);
    }
    for (const file of ggufs) await add('gguf', file.name, ggufLabel(file.name), [...cardFiles(all), file]);
    if (reference.file !== null || !weights) {
      const asked = model.choices.find(
        ({ kind, label }) => kind === 'gguf' && (reference.file === null || label === reference.file),
      );
      if (asked) await inspect(asked);
      else if (reference.file !== null) model.problem = noFile(id, reference.file).toData();
    }
    if (model.choices.length === 0) model.problem ??= noWeights(id, all).toData();
  } catch (cause) {
    if (!(cause instanceof AccessError)) throw cause;
    model.access = cause.needs;
    return { model, denied: cause, files };
  }
  const [first] = model.choices;
  if (first?.problem && model.choices.every(({ problem }) => problem !== null)) model.problem ??= first.problem;
  return { model, denied: null, files };
}

/** The single safetensors file, or the index and the shards it lists; null if there is neither. */
async function safetensorsOf(
  client: HubClient,
  id: string,
  commit: string,
  files: readonly RepositoryFile[],
  signal?: AbortSignal,
): Promise<RepositoryFile[] | null> {
  const byName = new Map(files.map((file) => [file.name, file]));
  const single = byName.get(SINGLE);
  if (single) return [single];
  const index = byName.get(INDEX);
  if (!index) return null;
  // An invalid index is reported by the folder check, which reads it again.
  let names: string[] = [];
  try {
    const bytes = await client.bytes(id, commit, index, signal);
    const map: unknown = (parseUntrusted(new TextDecoder().decode(bytes)) as { weight_map?: unknown } | null)
      ?.weight_map;
    names = [...new Set(Object.values((map ?? {}) as object))].filter(
      (name): name is string => typeof name === 'string' && SHARD.test(name),
    );
  } catch (cause) {
    if (cause instanceof TabtuneError || signal?.aborted) throw cause;
  }
  return [index, ...names.sort().flatMap((name) => byName.get(name) ?? [])];
}

function noFile(id: string, file: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_model',
    message: `${id} has no GGUF file called ${file}.`,
    where: file,
    action: 'Choose one of the listed files.',
  });
}

/** Rewords advice about a folder for a repository. */
function onTheHub(error: ErrorData): ErrorData {
  return error.action === COMPLETE_FOLDER
    ? { ...error, action: `The repository is incomplete. ${OTHER_MODEL}` }
    : error;
}

/** A search result, with any problem that the listing alone reveals. */
export function hubHit(info: RepositoryInfo, supported: readonly string[]): HubHit {
  const { id, downloads, likes, licence, parameters, gated, modelType, tags } = info;
  const gguf = tags.includes('gguf');
  const safetensors = tags.includes('safetensors') || parameters !== null;
  let problem: string | null = null;
  if (!gguf && modelType !== null && !supported.includes(modelType))
    problem = `The model type ${modelType} is not supported.`;
  else if (!gguf && !safetensors) problem = 'It has no safetensors and no GGUF file.';
  return { id, downloads, likes, licence, parameters, gated, private: info.private, problem };
}
