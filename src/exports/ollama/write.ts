/**
 * Writes a folder for `ollama create`: a Modelfile beside the adapter, if the base is a GGUF file that the person has, or beside the whole
 * model.
 */
import { openGguf, stringAt } from '../../formats/gguf';
import { vocabularyOf } from '../../formats/gguf-vocabulary';
import type { ModelFolder } from '../../hub/types';
import type { ExportResult, ExportSource, ExportWriter } from '../export';
import { ggufAdapter } from '../gguf/adapter';
import { jsonBlob } from '../source-files';
import { systemNotes } from '../system-note';
import { describeChats } from './describe';
import { modelfile } from './modelfile';
import { ollamaReadme } from './readme';

/** What Ollama takes by itself (docs/context-length.mdx); less would cut what it would keep. */
const USUAL_CONTEXT = 4096;
/** Larger files are no licences. */
const LICENCE_BYTES = 200_000;

/** `wholeModel` writes the merged model as one GGUF file. */
export const ollamaWriter =
  (wholeModel: () => Promise<ExportWriter>): ExportWriter =>
  async (source, job) => {
    const base = baseFile(source.model.folder);
    const beside = base !== null && source.hasAdapter && ggufAdapter.refusal(source.exported) === null;
    const write = await (beside ? ggufAdapter.writer() : wholeModel());
    const { files, notes, proof } = await write(source, job);
    const weights = files.find(({ path }) => path.endsWith('.gguf'))!;
    const begin = await beginOf(source.model.folder, beside ? null : weights.blob);
    const described = source.chats
      ? await describeChats(source.chats, begin, new Date())
      : { template: null, system: null, stops: [], notes: [] };
    const from = beside ? base.from : `./${weights.path}`;
    const written = modelfile({
      comments: [
        `${source.name}, trained with Tabtune. Make it known to Ollama: ollama create ${source.fileName} -f Modelfile`,
      ],
      from,
      adapter: beside ? `./${weights.path}` : null,
      template: described.template,
      system: described.system,
      parameters: [...described.stops.map((stop) => ['stop', stop] as const), ...(await parameters(source))],
      licence: await licence(source),
    });
    const checked = described.template === null ? NOT_RUN : `${NOT_RUN} ${COMPARED}`;
    const held = systemNotes(
      written.text.includes(`\nSYSTEM """${described.system}"""\n`) ? described.system : null,
      'as SYSTEM in the Modelfile',
    );
    const said = [...notes, ...(beside ? [base.note] : []), ...described.notes, ...held, ...written.notes, checked];
    const all: ExportResult['files'] = [
      { path: 'Modelfile', blob: new Blob([written.text]) },
      ...files,
      ...(source.recipe ? [{ path: 'recipe.json', blob: jsonBlob(source.recipe) }] : []),
      { path: 'README.md', blob: new Blob([ollamaReadme({ source, from, proof, notes: said })]) },
    ];
    return { files: all, notes: said, proof };
  };

const NOT_RUN = 'Ollama was not run on this folder; the Modelfile follows the rules of its parser.';
const COMPARED = 'What its template writes was compared with the model’s own on several conversations.';

interface BaseFile {
  /** For `FROM`. */
  from: string;
  note: string;
}

/** The GGUF file that the model was opened from; null if it came as something else. */
function baseFile({ source, tensors }: ModelFolder): BaseFile | null {
  const file = tensors?.values().next().value?.file;
  if (file === undefined) return null;
  const name = file.slice(file.lastIndexOf('/') + 1);
  const repository = /^hf:([^/@]+\/[^/@]+)/.exec(source)?.[1];
  if (repository !== undefined && name === file) {
    return {
      from: `hf.co/${repository}:${name}`,
      note: `Ollama fetches the base, ${name}, from ${repository} on the Hub.`,
    };
  }
  return { from: `./${name}`, note: `Put ${name}, the base that you opened, beside the Modelfile.` };
}

/** The token that llama.cpp puts before a text by itself; null if it does not. `file` is the base's own where it is left out. */
async function beginOf({ vocabulary }: ModelFolder, file: Blob | null): Promise<string | null> {
  const read = (start: number, end: number) => file!.slice(start, end).arrayBuffer();
  const own = file ? vocabularyOf((await openGguf(read, file.size, 'model.gguf')).metadata) : (vocabulary ?? null);
  if (!own?.addBos || own.bos === null) return null;
  return stringAt(own.tokens, own.bos) ?? null;
}

/** How the model's makers let it write, and how much it can read. */
async function parameters({ model, recipe }: ExportSource): Promise<[string, number][]> {
  const trained = recipe && recipe.dataset.max_length !== 'auto' ? recipe.dataset.max_length : 0;
  const context = Math.min(model.info.contextLength, Math.max(trained, USUAL_CONTEXT));
  const found: [string, number][] = [['num_ctx', context]];
  const json = model.folder.has('generation_config.json') ? await model.folder.text('generation_config.json') : '{}';
  let given: Record<string, unknown>;
  try {
    given = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return found;
  }
  if (given.do_sample === false) return [...found, ['temperature', 0]];
  const names = { temperature: 'temperature', top_k: 'top_k', top_p: 'top_p', repetition_penalty: 'repeat_penalty' };
  for (const [key, name] of Object.entries(names)) {
    const value = given[key];
    if (typeof value === 'number' && Number.isFinite(value))
      found.push([name, key === 'top_k' ? Math.round(value) : value]);
  }
  return found;
}

/** The licence's text where it lies beside the model, otherwise its name. */
async function licence({ model }: ExportSource): Promise<string | null> {
  const name = ['LICENSE', 'LICENSE.txt', 'LICENSE.md'].find((one) => model.folder.has(one));
  if (name !== undefined && (model.folder.size(name) ?? 0) <= LICENCE_BYTES) return model.folder.text(name);
  return model.licence;
}
