/** The part of the page behind `npm run self-instruct`: a model writes a dataset, and everything that is kept is told at once. */
import {
  datasetLines,
  defaultSettings,
  funnelOf,
  funnelText,
  machineRows,
  newDraft,
  readSeedTasks,
  type SelfInstructDraft,
  type SelfInstructSettings,
  seedTasks,
} from '../self-instruct';
import type { Session } from '../session/api';
import type { WritingEnd } from '../session/self-instruct-types';
import type { Message, SelfInstructOptions, SelfInstructOutput } from './protocol';

const draftOf = ({ draft, seeds, settings }: SelfInstructOptions): SelfInstructDraft => {
  const begun = draft === null ? null : (JSON.parse(draft) as SelfInstructDraft);
  const own = seeds && readSeedTasks(seeds.text, seeds.name);
  const wanted: SelfInstructSettings = { ...(begun?.settings ?? defaultSettings), ...settings };
  if (!begun) return newDraft(own ?? seedTasks, wanted);
  return { ...begun, seeds: own ?? begun.seeds, settings: wanted, barren: 0 };
};

export async function selfInstruct(
  session: Session,
  options: SelfInstructOptions,
  tell: (message: Message) => Promise<void>,
): Promise<SelfInstructOutput> {
  let draft = draftOf(options);
  const told = () => tell({ type: 'draft', draft: JSON.stringify(draft), dataset: datasetLines(draft) });
  await told();
  const writer = await session.selfInstruct();
  const end: WritingEnd = await writer.run(
    draft,
    (next) => {
      draft = next;
      void told();
    },
    ({ stage, done, total }) => {
      const kept = `${draft.tasks.length} of ${draft.settings.num_instructions_to_generate} instructions kept`;
      void tell({
        type: 'progress',
        text: `round ${draft.rounds + 1}, ${stage} ${done} of ${total}; ${kept} of ${draft.funnel.instructions.written} written`,
      });
    },
  );
  await told();
  const { tasks, seeds } = draft;
  return {
    end,
    seeds: seeds.length,
    tasks: tasks.length,
    rows: machineRows(draft),
    funnel: funnelText(funnelOf(draft)),
  };
}
