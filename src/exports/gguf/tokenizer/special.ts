/** What surrounds a text, and which tokens have a meaning of their own. */
import { refuse } from '../../../base/bad-model';
import { bool, type GgufPairs, uint32 } from '../entries';
import { contentOf, isObject, type Json, list } from './json';
import { INSTEAD } from './refusal';
import type { Vocabulary } from './vocabulary';

export interface SpecialFiles {
  /** tokenizer.json */
  json: Json;
  /** tokenizer_config.json, with what special_tokens_map.json adds. */
  names: Json;
  /** config.json and generation_config.json. */
  config: Json;
  generation: Json;
  /** As the open tokenizer has them: with the chat template's end of turn, which the files may not name. */
  endTokenIds: readonly number[];
}

const key = (name: string) => `tokenizer.ggml.${name}`;

/** Throws `bad_model` if more is put around a text than llama.cpp can. */
export function specialPairs(files: SpecialFiles, vocabulary: Vocabulary): { pairs: GgufPairs; notes: string[] } {
  const { json, names, config, generation, endTokenIds } = files;
  const { tokens } = vocabulary;
  const named = (name: string): number | null => {
    const content = contentOf(names[`${name}_token`]);
    const id = content === null ? null : vocabulary.idOf(content);
    return id ?? idBelow(config[`${name}_token_id`], tokens.length);
  };
  const around = aroundText(json.post_processor, vocabulary);
  const bos = around.before ?? named('bos');
  const eos = around.behind ?? named('eos');
  const ends = [...new Set([...endTokenIds, ...idList(generation.eos_token_id)])].filter(
    (id): id is number => idBelow(id, tokens.length) !== null && id !== eos,
  );
  const eom = ends.find((id) => /eom/.test(tokens[id]!));
  const [eot, ...unnamed] = ends.filter((id) => id !== eom);
  const ids: [string, number | null | undefined][] = [
    ['bos_token_id', bos],
    ['eos_token_id', eos],
    ['eot_token_id', eot],
    ['eom_token_id', eom],
    ['unknown_token_id', named('unk')],
    ['padding_token_id', named('pad')],
  ];
  const pairs: GgufPairs = [
    ...ids.flatMap(([name, id]): GgufPairs => (id === null || id === undefined ? [] : [[key(name), uint32(id)]])),
    // Always: what llama.cpp does without depends on the kind of vocabulary.
    [key('add_bos_token'), bool(around.before !== null)],
    [key('add_eos_token'), bool(around.behind !== null)],
  ];
  return { pairs, notes: unnamed.length > 0 ? [unnamedNote(unnamed.map((id) => tokens[id]!))] : [] };
}

const unnamedNote = (tokens: readonly string[]): string =>
  `A GGUF file names few of the tokens that end an answer, so ${tokens.join(', ')} ${tokens.length === 1 ? 'is' : 'are'} left out, and llama.cpp may not stop there.`;

const idList = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

const idBelow = (id: unknown, rows: number): number | null =>
  typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < rows ? id : null;

interface Around {
  before: number | null;
  behind: number | null;
}

/** The token that a post-processor puts before and behind a text. */
function aroundText(processor: unknown, { tokens }: Vocabulary): Around {
  const around: Around = { before: null, behind: null };
  for (const step of stepsOf(processor)) {
    switch (step.type) {
      case 'ByteLevel':
        break;
      case 'TemplateProcessing':
        Object.assign(around, ofTemplate(step, tokens.length));
        break;
      default:
        notPossible(`post_processor ${String(step.type).slice(0, 40)}`);
    }
  }
  return around;
}

const stepsOf = (processor: unknown): Json[] => {
  if (!isObject(processor)) return [];
  return processor.type === 'Sequence' ? list(processor.processors).flatMap(stepsOf) : [processor];
};

function ofTemplate({ single, special_tokens: special }: Json, rows: number): Around {
  const pieces = list(single).map((piece) => {
    if (!isObject(piece)) return null;
    if (isObject(piece.Sequence)) return 'text';
    const name = isObject(piece.SpecialToken) ? piece.SpecialToken.id : null;
    const about = isObject(special) && typeof name === 'string' ? special[name] : null;
    const ids = isObject(about) ? list(about.ids) : [];
    return ids.length === 1 ? idBelow(ids[0], rows) : null;
  });
  const at = pieces.indexOf('text');
  if (at < 0 || at > 1 || pieces.length > at + 2 || pieces.includes(null))
    notPossible('the template of special tokens');
  return { before: at === 1 ? (pieces[0] as number) : null, behind: (pieces[at + 1] as number | undefined) ?? null };
}

const notPossible = (details: string): never =>
  refuse(
    'tokenizer.json, post_processor',
    'llama.cpp puts at most one token before and one behind a text, and this tokenizer does something else.',
    INSTEAD,
    details,
  );
