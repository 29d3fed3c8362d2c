import { Dices, Send, Square } from 'lucide-react';
import type { KeyboardEvent } from 'react';
import { objectiveOf } from '../../../objectives';
import { useComparing } from '../../../stores/comparing';
import { useModel } from '../../../stores/model';
import { useFields } from '../../../stores/select';
import { compareText, promptText as text } from '../../text/comparing';
import { Button } from '../../ui/Button';
import { Textarea } from '../../ui/Field';
import { HeldOutPrompts } from './HeldOutPrompts';
import { useColumns } from './useColumns';
import { useWhy } from './useWhy';

/** Why no column can answer, whatever the prompt. */
export function useBlocked(): string | false {
  const { models, task } = useColumns();
  const encoder = useModel((state) => state.info?.kind === 'encoder');
  const why = useWhy();
  if (why) return why;
  if (task === 'mixed') return text.mixed;
  if (!encoder || task === 'sorts') return false;
  const learned = models.find(({ objective }) => objective !== null)?.objective;
  return learned && objectiveOf({ type: learned }).learns === 'text' ? text.maskedLm : text.encoder;
}

export function PromptForm() {
  const { prompt, answer, write, writeAnswer, ask, cancel, generating, temperature, seed, set, answers } = useComparing(
    useFields(
      'prompt',
      'answer',
      'write',
      'writeAnswer',
      'ask',
      'cancel',
      'generating',
      'temperature',
      'seed',
      'set',
      'answers',
    ),
  );
  const { columns, task, judging } = useColumns();
  const sorting = task === 'sorts';
  const blocked = useBlocked();
  const entered = prompt.trim() === '' && (sorting && !judging ? text.enterText : text.enterPrompt);
  const why = blocked || entered || (judging && answer.trim() === '' && text.enterAnswer);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (!why) void ask();
  };
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
        <span className="mb-1 block font-medium">{sorting && !judging ? compareText.text : compareText.prompt}</span>
        <Textarea
          rows={2}
          value={prompt}
          placeholder={sorting && !judging ? text.textPlaceholder : text.promptPlaceholder}
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </label>
      {judging && (
        // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child.
        <label className="block">
          <span className="mb-1 block font-medium">{compareText.answer}</span>
          <Textarea
            rows={2}
            value={answer}
            placeholder={text.answerPlaceholder}
            onChange={(event) => writeAnswer(event.target.value)}
            onKeyDown={onKeyDown}
          />
        </label>
      )}
      <div className="flex flex-wrap items-center gap-2">
        {generating ? (
          <Button onClick={cancel}>
            <Square aria-hidden size={14} fill="currentColor" /> {text.stop}
          </Button>
        ) : (
          <Button type="submit" variant="primary" why={why}>
            <Send aria-hidden size={16} /> {text.ask(columns.length)}
          </Button>
        )}
        {!sorting && temperature > 0 && answers.length > 0 && (
          <Button
            why={why || (generating && text.wait)}
            onClick={() => {
              set({ seed: seed + 1 });
              void ask();
            }}
          >
            <Dices aria-hidden size={16} /> {text.anotherSeed}
          </Button>
        )}
      </div>
      <HeldOutPrompts blocked={blocked} />
    </form>
  );
}
