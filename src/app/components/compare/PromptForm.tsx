import { Send, Square } from 'lucide-react';
import { objectiveOf } from '../../../objectives';
import { useBuiltins } from '../../../stores/builtins';
import { sorts, useCompare } from '../../../stores/compare';
import { useData } from '../../../stores/data';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useTraining } from '../../../stores/training';
import { Button } from '../../ui/Button';
import { Textarea } from '../../ui/Field';
import { cellsOf } from '../data/cells';

/** Prompts worth trying: the dataset's own suggestions, else its first examples. */
function useSuggestions(): string[] {
  const datasets = useBuiltins((state) => state.datasets);
  const source = useRecipe((state) => state.recipe.dataset.source);
  const dataset = useData((state) => state.dataset);
  const listed = datasets.find(({ name }) => source === `builtin:${name}`)?.suggestedPrompts;
  if (listed && listed.length > 0) return listed;
  const prompts = (dataset?.examples ?? [])
    .slice(0, 20)
    .map((example) => cellsOf(example)[0]?.text ?? '')
    .filter((text) => text.length > 0 && text.length < 120);
  return [...new Set(prompts)].slice(0, 3);
}

export function PromptForm() {
  const { prompt, set, ask, cancel, generating, adapter } = useCompare();
  const sorting = sorts(adapter);
  const encoder = useModel((state) => state.info?.kind === 'encoder');
  const ready = useModel((state) => state.status === 'ready');
  const training = useTraining((state) => state.phase !== 'idle');
  const suggestions = useSuggestions();
  const blocked = training
    ? 'The run is using the GPU. Pause does not free it; wait or stop.'
    : !ready
      ? 'The model is not open yet.'
      : encoder &&
        !sorting &&
        (adapter && objectiveOf({ type: adapter.objective }).learns === 'text'
          ? 'This model fills gaps and writes no text. What it learned shows in the loss, and in what is trained on it next.'
          : 'This model reads text and writes none. Train it to sort texts or words first.');
  const why = blocked || (prompt.trim() === '' && (sorting ? 'Write a text first.' : 'Write a prompt first.'));
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (!why) void ask();
      }}
    >
      {/* biome-ignore lint/a11y/noLabelWithoutControl: the control is the child. */}
      <label className="block">
        <span className="mb-1 block font-medium">{sorting ? 'Text' : 'Prompt'}</span>
        <Textarea
          rows={3}
          value={prompt}
          placeholder={sorting ? 'A text for both to sort' : 'Ask both the same thing'}
          onChange={(event) => set({ prompt: event.target.value })}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              if (!why) void ask();
            }
          }}
        />
      </label>
      <div className="flex flex-wrap items-center gap-2">
        {generating ? (
          <Button onClick={cancel}>
            <Square aria-hidden size={14} fill="currentColor" /> Stop answering
          </Button>
        ) : (
          <Button type="submit" variant="primary" why={why}>
            <Send aria-hidden size={16} /> Ask both
          </Button>
        )}
        {suggestions.length > 0 && <span className="ml-2 text-[0.8125rem] text-muted">Try</span>}
        {suggestions.map((text) => (
          <Button
            key={text}
            size="small"
            why={blocked || (generating && 'Wait for the answers.')}
            className="!shrink text-left"
            onClick={() => {
              set({ prompt: text });
              void ask();
            }}
          >
            {text}
          </Button>
        ))}
      </div>
    </form>
  );
}
