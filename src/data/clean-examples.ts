/** What a recipe has done to examples once they are read: personal data replaced, rows with it and near-duplicates left out. */

import { TabtuneError } from '../base/errors';
import { type PersonalKind, personalKinds } from '../base/personal-kinds';
import { inRanges } from '../base/row-ranges';
import type { ReadingSection } from '../recipe/sections';
import { finish, nearDuplicates } from './near-duplicates';
import { maskedSpot, personalSpots, placeholders, withoutPersonal } from './personal-data';
import { preferenceTexts, withPreferenceTexts } from './preference-parts';
import { ProblemList } from './problems';
import type { DataProblem, Example } from './types';

type Cleaning = Pick<ReadingSection, 'leave_out_rows' | 'replace_personal' | 'drop_personal' | 'near_duplicates'>;

/** Throws bad_data if nothing is left. */
export function cleanExamples(
  name: string,
  examples: readonly Example[],
  section: Cleaning,
  /** Whether they are looked through for personal data, if they have not been. */
  personal = true,
): { examples: Example[]; problems: DataProblem[] } {
  const problems = new ProblemList();
  const used = withoutRows(name, examples, section, problems);
  let kept = personal ? withPersonal(used, section, problems) : [...used];
  if (section.near_duplicates === 'leave_out') kept = withoutNear(kept, problems);
  if (kept.length === 0) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'Every row has personal data of the kinds whose rows are left out.',
      where: name,
      action: 'Replace it by placeholders instead, or keep it.',
      choices: [
        {
          label: 'Replace it by placeholders',
          set: {
            'dataset.drop_personal': undefined,
            'dataset.replace_personal': [...new Set([...(section.replace_personal ?? []), ...section.drop_personal!])],
          },
        },
        { label: 'Keep it', set: { 'dataset.drop_personal': undefined } },
      ],
    });
  }
  return { examples: kept, problems: problems.list() };
}

/** Without the rows that a person has left out by number. */
function withoutRows(
  name: string,
  examples: readonly Example[],
  { leave_out_rows }: Cleaning,
  problems: ProblemList,
): readonly Example[] {
  if (!leave_out_rows) return examples;
  const listed = inRanges(leave_out_rows);
  const gone = examples.filter(({ row }) => listed(row)).map(({ row }) => row);
  const choices = [{ label: 'Undo', set: { 'dataset.leave_out_rows': undefined } }];
  if (gone.length === examples.length) {
    throw new TabtuneError({
      code: 'bad_data',
      message: 'The recipe leaves every row of this file out.',
      where: name,
      action: 'Use them again, or choose another file.',
      choices: [{ ...choices[0]!, label: 'Use every row' }],
    });
  }
  problems.add({
    severity: 'warning',
    code: 'left_out_rows',
    message: `${gone.length.toLocaleString('en')} ${gone.length === 1 ? 'row is' : 'rows are'} left out by number, as the recipe says.`,
    action: gone.length === 0 ? 'None of those numbers is in this file.' : '',
    dropped: gone.length > 0,
    rows: gone.length,
    further: gone,
    choices,
  });
  return examples.filter(({ row }) => !listed(row));
}

function withPersonal(examples: readonly Example[], section: Cleaning, problems: ProblemList): Example[] {
  const replaced = section.replace_personal ?? [];
  const dropped = section.drop_personal ?? [];
  const offered = new Set<string>();
  const kept: Example[] = [];
  for (const example of examples) {
    const found = personalIn(example);
    if (found.size === 0) {
      kept.push(example);
      continue;
    }
    const { row } = example;
    const out = [...found.keys()].find((kind) => dropped.includes(kind));
    for (const [kind, shown] of found) {
      const is = out !== undefined ? 'dropped' : replaced.includes(kind) ? 'replaced' : 'kept';
      // A row is left out for one reason.
      if (is === 'dropped' && kind !== out) continue;
      const code = is === 'kept' ? `personal_${kind}` : `personal_${kind}_${is}`;
      const first = !offered.has(code);
      offered.add(code);
      problems.add({
        severity: 'warning',
        code,
        row,
        message: `Row ${row} has ${personalKinds[kind]}: ${shown}`,
        action: whatIsDone[is](kind),
        dropped: is === 'dropped',
        ...(first && { choices: choicesOf(kind, is, replaced, dropped) }),
      });
    }
    if (out === undefined) kept.push(replacedIn(example, replaced));
  }
  return kept;
}

const whatIsDone = {
  kept: () => 'The model may learn to say it.',
  replaced: (kind: PersonalKind) => `${placeholders[kind]} stands in its place.`,
  dropped: () => 'It was left out.',
};

function choicesOf(
  kind: PersonalKind,
  is: keyof typeof whatIsDone,
  replaced: readonly PersonalKind[],
  dropped: readonly PersonalKind[],
): DataProblem['choices'] {
  const without = (kinds: readonly PersonalKind[]) => {
    const rest = kinds.filter((other) => other !== kind);
    return rest.length === 0 ? undefined : rest;
  };
  if (is === 'replaced') return [{ label: 'Undo', set: { 'dataset.replace_personal': without(replaced) } }];
  if (is === 'dropped') return [{ label: 'Undo', set: { 'dataset.drop_personal': without(dropped) } }];
  return [
    { label: `Replace by ${placeholders[kind]}`, set: { 'dataset.replace_personal': [...replaced, kind] } },
    { label: 'Leave the rows out', set: { 'dataset.drop_personal': [...dropped, kind] } },
  ];
}

/** Kind -> the first of it, masked, and how many more there are. */
function personalIn(example: Example): Map<PersonalKind, string> {
  const found = new Map<PersonalKind, { first: string; count: number }>();
  for (const text of textsOf(example)) {
    for (const spot of personalSpots(text)) {
      const before = found.get(spot.kind);
      if (before) before.count++;
      else found.set(spot.kind, { first: maskedSpot(text, spot), count: 1 });
    }
  }
  const shown = ({ first, count }: { first: string; count: number }) =>
    count === 1 ? `${first}.` : `${first} and ${count - 1} more.`;
  return new Map([...found].map(([kind, all]) => [kind, shown(all)]));
}

function textsOf(example: Example): string[] {
  switch (example.kind) {
    case 'messages':
      return example.messages.flatMap(({ content, thoughts }) => (thoughts ? [content, thoughts] : [content]));
    case 'prompt_completion':
      return [example.prompt, example.completion];
    case 'tagged':
      return example.tokens;
    case 'pair':
    case 'judged':
    case 'prompt':
      return preferenceTexts(example);
    default:
      return [example.text];
  }
}

/** The same object if nothing is replaced in it. Labels and tags are left alone. */
function replacedIn(example: Example, kinds: readonly PersonalKind[]): Example {
  if (kinds.length === 0) return example;
  const clean = (text: string) => withoutPersonal(text, kinds);
  switch (example.kind) {
    case 'messages':
      return {
        ...example,
        messages: example.messages.map((message) => ({
          ...message,
          content: clean(message.content),
          ...(message.thoughts !== undefined && { thoughts: clean(message.thoughts) }),
        })),
      };
    case 'prompt_completion':
      return { ...example, prompt: clean(example.prompt), completion: clean(example.completion) };
    case 'tagged':
      return { ...example, tokens: example.tokens.map(clean) };
    case 'pair':
    case 'judged':
    case 'prompt':
      return withPreferenceTexts(example, clean);
    default:
      return { ...example, text: clean(example.text) };
  }
}

function withoutNear(examples: readonly Example[], problems: ProblemList): Example[] {
  const gone = new Set<number>();
  for (const { kept, others } of finish(nearDuplicates(examples))) {
    for (const { row, similarity } of others) {
      problems.add({
        severity: 'warning',
        code: 'near_duplicate',
        row,
        message: `Row ${row} is nearly the same as row ${kept} (${Math.round(similarity * 100)} % of their three-word sequences).`,
        action: 'It was left out.',
        dropped: true,
        ...(gone.size === 0 && { choices: [{ label: 'Undo', set: { 'dataset.near_duplicates': undefined } }] }),
      });
      gone.add(row);
    }
  }
  return examples.filter(({ row }) => !gone.has(row));
}
