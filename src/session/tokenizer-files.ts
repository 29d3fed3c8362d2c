/** The files of a model folder that its tokeniser is made from. */
import { OTHER_MODEL, refuse } from '../base/bad-model';
import { TabtuneError } from '../base/errors';
import { CONFIG_LIMIT } from '../base/limits';
import { MAX_TEMPLATE_BYTES, type TokenizerSource } from '../data/tokenizer-files';
import { readFamilyConfig } from '../families';
import { CONFIG } from '../families/config';
import { TOKENIZER_LIMIT } from '../hub/check';
import { readJson } from '../hub/read-json';
import type { ModelFolder } from '../hub/types';

/** In bytes. The largest known are Gemma 3's: a 33 MB tokenizer.json and 1.2 MB of config. */
const LIMITS: Record<string, number> = {
  'tokenizer.json': TOKENIZER_LIMIT,
  'tokenizer_config.json': 16 * 2 ** 20,
  'special_tokens_map.json': 16 * 2 ** 20,
  'chat_template.jinja': MAX_TEMPLATE_BYTES,
  'generation_config.json': 2 ** 20,
};

export async function tokenizerFiles(folder: ModelFolder): Promise<TokenizerSource> {
  if (!folder.has('tokenizer.json')) {
    throw new TabtuneError({
      code: 'bad_model',
      message: 'The model folder has no tokenizer.json.',
      where: 'tokenizer.json',
      action: 'Add the model’s tokenizer.json to the folder. Older formats (vocab.txt, *.model) are not supported.',
    });
  }
  // The page must not load a file that the data worker would refuse.
  for (const [name, limit] of Object.entries(LIMITS)) {
    const size = folder.size(name) ?? 0;
    if (size > limit) refuse(name, `${name} is ${size} bytes; the limit is ${limit}.`, OTHER_MODEL);
  }
  const { config } = readFamilyConfig(await readJson(folder, CONFIG, CONFIG_LIMIT));
  const read = (name: string) => (folder.has(name) ? folder.text(name) : Promise.resolve(null));
  const [tokenizerJson, tokenizerConfig, specialTokensMap, chatTemplate, generationConfig] = await Promise.all([
    // Rebuilding one takes a second or two, so the data worker does it while the page stays responsive.
    folder.vocabulary ?? folder.text('tokenizer.json'),
    read('tokenizer_config.json'),
    read('special_tokens_map.json'),
    read('chat_template.jinja'),
    read('generation_config.json'),
  ]);
  const embeddings = config.vocab_size;
  return { tokenizerJson, tokenizerConfig, specialTokensMap, chatTemplate, generationConfig, embeddings };
}
