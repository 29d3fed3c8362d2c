import { Send, Square } from 'lucide-react';
import { objectiveOf } from '../../../objectives';
import { useBuiltins } from '../../../stores/builtins';
import { sorts, useCompare } from '../../../stores/compare';
import { useData } from '../../../stores/data';
import { modelReady, useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { compareText, promptText as text } from '../../text/compare';
import { Button } from '../../ui/Button';
import { Textarea } from '../../ui/Field';
import { cellsOf } from '../data/cells';

/** Prompts to try: the dataset's own suggestions, else its first examples. */
function useSuggestions(): string[] {
  const datasets = useBuiltins((state) => state.datasets);
  const source = useRecipe((state) => state.recipe.dataset.source);
  const dataset = useData((state) => state.dataset);
  const listed = datasets.find(({ name }) => source === `builtin:${name}`)?.suggestedPrompts;
  if (listed && listed.length > 0) return listed;
  const prompts = (dataset?.examples ?? [])
    .slice(0, 20)
    .map((example) => cellsOf(example)[0]?.text ?? '')
    .filter(({ length }) => length > 0 && length < 120);
  return [...new Set(prompts)].slice(0, 3);
}

export function PromptForm() {
  const { prompt, set, ask, cancel, generating, adapter } = useCompare(
    useFields('prompt', 'set', 'ask', 'cancel', 'generating', 'adapter'),
  );
  const sorting = sorts(adapter);
  const encoder = useModel((state) => state.info?.kind === 'encoder');
  const ready = useModel(modelReady);
  const training = useTraining(runActive);
  const suggestions = useSuggestions();
  const blocked = training
    ? text.gpuInUse
    : !ready
      ? text.noModel
      : encoder &&
        !sorting &&
        (adapter && objectiveOf({ type: adapter.objective }).learns === 'text' ? text.maskedLm : text.encoder);
  const why = blocked || (prompt.trim() === '' && (sorting ? text.enterText : text.enterPrompt));
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
        <span className="mb-1 block font-medium">{sorting ? compareText.text : compareText.prompt}</span>
        <Textarea
          rows={3}
          value={prompt}
          placeholder={sorting ? text.textPlaceholder : text.promptPlaceholder}
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
            <Square aria-hidden size={14} fill="currentColor" /> {text.stop}
          </Button>
        ) : (
          <Button type="submit" variant="primary" why={why}>
            <Send aria-hidden size={16} /> {text.askBoth}
          </Button>
        )}
        {suggestions.length > 0 && <span className="ml-2 text-[0.8125rem] text-muted">{text.suggestions}</span>}
        {suggestions.map((suggestion) => (
          <Button
            key={suggestion}
            size="small"
            why={blocked || (generating && text.wait)}
            className="!shrink text-left"
            onClick={() => {
              set({ prompt: suggestion });
              void ask();
            }}
          >
            {suggestion}
          </Button>
        ))}
      </div>
    </form>
  );
}
