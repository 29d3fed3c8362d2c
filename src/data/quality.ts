/**
 * Columns that say whether an answer is good: KTO's true and false, thumbs, good and bad. What they call bad is never
 * learned; a column of two values whose meaning is unclear is a question.
 */
import { type Choice, TabtuneError } from '../base/errors';
import { type ColumnProfile, isId, isWorse } from './columns';
import { excerpt } from './problems';
import { BETTER, list, NEUTRAL, WEAK_FALSE, WEAK_TRUE, WORSE, word } from './verdicts';

/** Names under which true means good. */
const GOOD_NAMES =
  list(`label labels ktotag kto desirable isdesirable thumbs thumbsup thumb feedback userfeedback humanfeedback rating quality good isgood
  goodanswer goodresponse helpful ishelpful preferred ispreferred accepted isaccepted correct iscorrect approved isapproved vote votes upvoted liked
  chosen ischosen score reward verdict judgement judgment acceptable passed pass valid isvalid winner best isbest like evaluation grade
  answerquality responsequality annotation humanlabel preference bewertung`);
/** Names that can only be a judgement of the answer. */
const JUDGES =
  list(`ktotag thumbs thumbsup feedback userfeedback humanfeedback quality answerquality responsequality verdict
  judgement judgment evaluation`);
/** Names under which true means bad. */
const BAD_NAMES =
  list(`bad isbad rejected isrejected toxic istoxic toxicity harmful isharmful unsafe isunsafe flagged isflagged spam isspam wrong iswrong
  incorrect isincorrect error haserror iserror hallucination hallucinated hashallucination offensive disliked downvoted refused isrefusal refusal
  ishallucination lowquality islowquality thumbsdown`);
/** Two-valued and no judgement of an answer. */
const OTHER =
  /^(is|has|was)?(classification|synthetic|train|test|validation|english|code|stream|streaming|multiturn|singleturn|public|private|new|old|ai|human|open|closed|augmented|translated|weight|loss|premium|active|split|gender|sex|tools?|system|impossible|image|images|multimodal|nsfwfilter|anonymous|registered)$/;

/** What says by itself that it judges an answer. “High”, “negative” and “safe” are said of other things too. */
const UNMISTAKABLE =
  list(`bad worse worst thumbsdown dislike disliked downvote downvoted rejected reject wrong incorrect undesirable undesired
  unacceptable unhelpful notgood nothelpful notchosen nonpreferred dispreferred unpreferred loser loss 👎 ❌ schlecht falsch
  good better best thumbsup like liked upvote upvoted accepted accept correct right desirable desired acceptable helpful chosen preferred
  winner 👍 ✅ gut richtig up down neutral none ok okay`);

export type Quality =
  | { kind: 'wanted' | 'unwanted'; column: string }
  | { kind: 'unclear'; column: string; values: string[] };

/** Whether a column beside an answer judges it; null if it does not. */
function qualityOf(p: ColumnProfile): Quality | null {
  if (!p.values || p.values.size === 0 || p.values.size > 6 || p.turns > 0) return null;
  const values = [...p.values.keys()].map(word);
  const strong =
    values.every((v) => WORSE.has(v) || BETTER.has(v) || NEUTRAL.has(v)) &&
    values.some((v) => WORSE.has(v) || BETTER.has(v));
  const weak = values.length <= 2 && values.every((v) => WEAK_FALSE.has(v) || WEAK_TRUE.has(v));
  // The texts of worse answers are no judgements.
  if (isWorse(p) && !weak) return null;
  const named = GOOD_NAMES.has(p.key);
  const mixed = named && values.some((v) => WORSE.has(v));
  if (!strong && !weak && !mixed) {
    // "keep" and "drop" under a name that judges, of unknown meaning.
    const judges = JUDGES.has(p.key) && values.length <= 3 && !p.numeric;
    return judges ? { kind: 'unclear', column: p.name, values: [...p.values.keys()] } : null;
  }
  if (BAD_NAMES.has(p.key) || isWorse(p)) return { kind: strong && !weak ? 'wanted' : 'unwanted', column: p.name };
  const plain = strong && values.every((v) => UNMISTAKABLE.has(v)) && !values.every((v) => NEUTRAL.has(v));
  if (plain || mixed || named) return { kind: 'wanted', column: p.name };
  if (isId(p) || OTHER.test(p.key) || values.length < 2) return null;
  return { kind: 'unclear', column: p.name, values: [...p.values.keys()] };
}

/** The quality column beside an answer. Throws a question if one is unclear and a person has not answered. */
export function qualityColumn(
  name: string,
  profiles: readonly ColumnProfile[],
  used: readonly string[],
  given: Readonly<Record<string, string>>,
): Partial<Record<'label' | 'unwanted', string>> {
  // Answered by hand, also with "none of them".
  if ('label' in given || 'unwanted' in given) return {};
  const found = profiles.filter((p) => !used.includes(p.name)).flatMap((p) => qualityOf(p) ?? []);
  const clear = found.find(({ kind }) => kind !== 'unclear');
  if (clear) return { [clear.kind === 'wanted' ? 'label' : 'unwanted']: clear.column };
  const unclear = found.find((q) => q.kind === 'unclear');
  if (unclear?.kind === 'unclear') throw question(name, unclear.column, unclear.values, given);
  return {};
}

function question(
  name: string,
  column: string,
  values: readonly string[],
  given: Readonly<Record<string, string>>,
): TabtuneError {
  const shown = values.map((value) => `“${excerpt(value, 20)}”`).join(' and ');
  const yes = values.find((value) => WEAK_TRUE.has(word(value)) || BETTER.has(word(value)));
  const answer = (label: string, columns: Record<string, string>): Choice => ({
    label,
    set: { 'dataset.columns': { ...given, ...columns } },
  });
  return new TabtuneError({
    code: 'bad_data',
    message: `The column “${excerpt(column, 40)}” holds ${shown}. Does it say which answers are good?`,
    where: name,
    action:
      yes === undefined
        ? 'If it does, write “good” and “bad” (or true and false) in it, so that bad answers are left out.'
        : 'Bad answers are left out, so that the model does not learn them.',
    choices: [
      ...(yes === undefined
        ? []
        : [
            answer(`“${excerpt(yes, 20)}” marks good answers`, { label: column }),
            answer(`“${excerpt(yes, 20)}” marks bad answers`, { unwanted: column }),
          ]),
      answer('It says nothing about the answers', { label: '' }),
    ],
  });
}
