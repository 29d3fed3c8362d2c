import { defaultObjective, objectiveOf, objectiveOfGoal, objectives } from '../../../objectives';
import { useData } from '../../../stores/data';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { goalText } from '../../text/recipe';
import { Badge } from '../../ui/Badge';
import { ChoiceCard } from '../../ui/ChoiceCard';
import { Panel } from '../../ui/Panel';
import { GOAL_PANEL } from '../../util/route';
import { refusalOf, refusalText } from './refusals';

/** Each goal once, in the order of the objectives. */
const goals = [...new Set(objectives.map(({ goal }) => goal))];

/** What the tuned model should be able to do. */
export function Goal() {
  const { recipe, set } = useRecipe(useFields('recipe', 'set'));
  const model = useModel((state) => state.info);
  const format = useData((state) => state.dataset?.format);
  const { objective } = recipe;
  const remark = objectiveOf(objective).remark?.(objective);
  return (
    <Panel id={GOAL_PANEL} title={goalText.title}>
      <div className="grid gap-3 sm:grid-cols-2">
        {goals.map((goal) => {
          const { name, text, formats } = goal;
          // Of the objectives that share a goal, the one that this kind of model learns.
          const wanted = objectiveOfGoal(goal, model?.kind).type;
          const chosen = objectiveOf(objective).goal === goal;
          const refusal = chosen ? null : refusalOf(recipe, 'objective.type', wanted, model);
          // A method that works only with the present goal gives way to the default one.
          const method = refusal?.where === 'method.type';
          return (
            <ChoiceCard
              key={name}
              name={name}
              chosen={chosen}
              badge={format && formats.includes(format) && <Badge tone="accent">{goalText.fitsData}</Badge>}
              why={refusal && !method && refusalText(refusal, 'objective.type')}
              onChoose={() =>
                set({
                  'objective.type': wanted === defaultObjective ? undefined : wanted,
                  ...(method ? { 'method.type': undefined } : {}),
                })
              }
            >
              {text}
            </ChoiceCard>
          );
        })}
      </div>
      {remark && <p className="mt-2 text-muted">{remark}</p>}
    </Panel>
  );
}
