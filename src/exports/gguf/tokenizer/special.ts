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
}

const key = (name: string) => `tokenizer.ggml.${name}`;

/** Throws `bad_model` if more is put around a text than llama.cpp can. */
export function specialPairs({ json, names, config, generation }: SpecialFiles, vocabulary: Vocabulary): GgufPairs {
  const { tokens } = vocabulary;
  const named = (name: string): number | null => {
    const content = contentOf(names[`${name}_token`]);
    const id = content === null ? null : vocabulary.idOf(content);
    return id ?? idBelow(config[`${name}_token_id`], tokens.length);
  };
  const around = aroundText(json.post_processor, vocabulary);
  const bos = around.before ?? named('bos');
  const eos = around.behind ?? named('eos');
  const ends = list(idList(generation.eos_token_id)).filter((id) => idBelow(id, tokens.length) !== null && id !== eos);
  const eom = ends.find((id) => /eom/.test(tokens[id as number]!)) as number | undefined;
  const eot = ends.find((id) => id !== eom) as number | undefined;
  const ids: [string, number | null | undefined][] = [
    ['bos_token_id', bos],
    ['eos_token_id', eos],
    ['eot_token_id', eot],
    ['eom_token_id', eom],
    ['unknown_token_id', named('unk')],
    ['padding_token_id', named('pad')],
  ];
  return [
    ...ids.flatMap(([name, id]): GgufPairs => (id === null || id === undefined ? [] : [[key(name), uint32(id)]])),
    // Always: what llama.cpp does without depends on the kind of vocabulary.
    [key('add_bos_token'), bool(around.before !== null)],
    [key('add_eos_token'), bool(around.behind !== null)],
  ];
}

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
