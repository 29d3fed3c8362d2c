import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { rewardsText as text } from '../../text/rewards';
import { Panel } from '../../ui/Panel';
import { RewardsControl } from './RewardsControl';

/** The rewards, where the objective learns from any. */
export function Rewards() {
  const { input, recipe, problems, set } = useRecipe(useFields('input', 'recipe', 'problems', 'set'));
  if (!('rewards' in recipe.objective)) return null;
  const written = (input.objective as { rewards?: unknown } | undefined)?.rewards;
  return (
    <Panel title={text.title} description={text.intro}>
      <RewardsControl
        value={written ?? recipe.objective.rewards}
        problems={problems.filter(({ where }) => where.startsWith('objective.rewards'))}
        onChange={(value) => set({ 'objective.rewards': value })}
      />
    </Panel>
  );
}
