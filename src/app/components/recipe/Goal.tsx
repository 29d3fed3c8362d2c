import type { DatasetFormat, ObjectiveType } from '../../../recipe/types';
import { useData } from '../../../stores/data';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { Badge } from '../../ui/Badge';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { Panel } from '../../ui/Panel';
import { refusalOf, refusalText } from './refusals';

interface GoalCard {
  name: string;
  text: string;
  type: ObjectiveType;
  /** Shapes of data that are made for it. */
  formats: DatasetFormat[];
}

const goals: GoalCard[] = [
  {
    name: 'Answer like my examples',
    text: 'It learns to give the answers, not to ask the questions. Right for chats, replies and instructions.',
    type: 'sft',
    formats: ['messages', 'sharegpt', 'alpaca', 'prompt_completion'],
  },
  {
    name: 'Sort texts into classes',
    text: 'It learns to put a label on a text: a topic, a mood, how urgent it is. Needs texts with labels.',
    type: 'sequence_classification',
    formats: ['labelled'],
  },
  {
    name: 'Mark words in texts',
    text: 'It learns which words are names, places or products. Needs words with tags.',
    type: 'token_classification',
    formats: ['tagged'],
  },
  {
    name: 'Read more of my domain',
    text: 'It learns every word of plain text. Gives it the language of a field, not a way to answer.',
    type: 'pretraining',
    formats: ['text'],
  },
];

/** What it should be able to do in the end. */
export function Goal() {
  const { recipe, set } = useRecipe();
  const model = useModel((state) => state.info);
  const format = useData((state) => state.dataset?.format);
  const { objective } = recipe;
  return (
    <Panel title="Goal">
      <div className="grid gap-3 sm:grid-cols-2">
        {goals.map(({ name, text, type, formats }) => {
          const reads = type === 'pretraining';
          // An encoder reads more by guessing hidden words; what a decoder does it cannot.
          const wanted: ObjectiveType = reads && model?.kind === 'encoder' ? 'masked_lm' : type;
          const chosen = objective.type === type || (reads && objective.type === 'masked_lm');
          const refusal = chosen ? null : refusalOf(recipe, 'objective.type', wanted, model);
          // A method that goes with the present goal only gives way to the default one.
          const method = refusal?.where === 'method.type';
          return (
            <ChoiceCard
              key={name}
              name={name}
              chosen={chosen}
              badge={format && formats.includes(format) && <Badge tone="accent">fits your data</Badge>}
              why={refusal && !method && refusalText(refusal, 'objective.type')}
              onChoose={() =>
                set({
                  'objective.type': wanted === 'sft' ? undefined : wanted,
                  ...(method ? { 'method.type': undefined } : {}),
                })
              }
            >
              {text}
            </ChoiceCard>
          );
        })}
      </div>
      {objective.type === 'sft' && !objective.assistant_only_loss && (
        <p className="mt-2 text-muted">It learns the questions too: chosen in Advanced.</p>
      )}
    </Panel>
  );
}
