/** Writes the open model with its adapter merged in, as a folder that transformers loads like any other model. */
import { readFamilyConfig } from '../families';
import { leavesModel, methodOf } from '../methods';
import type { ExportResult, ExportWriter, MergedDtype, Tolerance } from './export';
import { mergedCard } from './merged-card';
import { configText, DTYPE_NAMES, mergedConfig, mergedTokenizerConfig, tokenizerClassOf } from './merged-config';
import { jsonBlob, tokenizerFilesOf } from './source-files';

/**
 * What rounding may do to logits and to the perplexity; several times what was seen on tiny models, whose logits are small beside what
 * rounds them.
 */
const ROUNDING: Record<MergedDtype, Tolerance> = {
  F32: { logits: 1e-3 },
  F16: { logits: 0.05, perplexity: 1.01 },
  BF16: { logits: 0.3, perplexity: 1.05 },
};

/**
 * What else a tokenizer may come in. transformers reads tokenizer.json, but llama.cpp's converter needs the vocabulary of some
 * families (Gemma 2, Phi-3) as it was first published, with the tokens that were added to it.
 */
const VOCABULARIES = ['tokenizer.model', 'added_tokens.json', 'generation_config.json'];

export function mergedWriter(dtype: MergedDtype): ExportWriter {
  return async (source, job) => {
    const { model, card, recipe } = source;
    const { blob, task, outputApart } = await source.writeModel({ format: 'safetensors', dtype }, job);
    const facts = { outputApart, padTokenId: model.padTokenId };
    const files: ExportResult['files'] = [
      { path: 'model.safetensors', blob },
      { path: 'config.json', blob: new Blob([configText(mergedConfig(model.config, dtype, task, facts))]) },
    ];
    let tokenizerClass: string | null = null;
    for (const file of await tokenizerFilesOf(source)) {
      if (file.path !== 'tokenizer_config.json') files.push(file);
      else {
        const own = await file.blob.text();
        tokenizerClass = tokenizerClassOf(own);
        files.push({ path: file.path, blob: new Blob([mergedTokenizerConfig(own, task !== null)]) });
      }
    }
    for (const path of VOCABULARIES) {
      if (model.folder.has(path)) files.push({ path, blob: new Blob([await model.folder.bytes(path)]) });
    }
    const proof = await source.proveModel(files, ROUNDING[dtype], job);
    const notes = outputNotes(model.config, outputApart, model.info.headApart === true);
    if (recipe) files.push({ path: 'recipe.json', blob: jsonBlob(recipe) });
    const kind = recipe && leavesModel(methodOf(recipe.method)) ? 'model' : 'merged';
    const text = mergedCard({
      name: `${source.fileName}-${kind}`,
      run: card,
      base: model.info.title,
      licence: model.info.licence,
      adapter: source.hasAdapter,
      dtype: DTYPE_NAMES[dtype],
      stored: model.info.dtype,
      proof,
      notes,
      folder: {
        family: source.exported.family,
        files: files.map(({ path }) => path),
        // The built-in model's was made for it.
        tokenizerClass,
        knownTokenizer: model.folder.source.startsWith('builtin:') ? false : null,
      },
    });
    files.push({ path: 'README.md', blob: new Blob([text]) });
    return { files, notes, proof };
  };
}

/** What a person should know about the files, a sentence each. */
function outputNotes(json: Record<string, unknown>, outputApart: boolean, apartBefore: boolean): string[] {
  const { tie_word_embeddings: tied } = readFamilyConfig(json).config;
  return outputApart && tied
    ? [
        `The output projection of this model is ${apartBefore ? 'not its embedding, in the base neither' : 'no longer its embedding, as it is in the base'}: the file holds both, and config.json says so (tie_word_embeddings: false).`,
      ]
    : [];
}
