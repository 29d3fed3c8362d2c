import { Pause, Play } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { SelfInstructSettings } from '../../../self-instruct';
import { useFields } from '../../../stores/select';
import { useSelfInstruct } from '../../../stores/self-instruct';
import { selfInstructText as text } from '../../text/self-instruct';
import { Button } from '../../ui/Button';
import { Check } from '../../ui/Check';
import { Input, Labelled } from '../../ui/Field';
import { Panel } from '../../ui/Panel';
import { ProgressBar } from '../../ui/Progress';
import { formatCount } from '../../util/format';

type NumberName = {
  [Name in keyof SelfInstructSettings]: SelfInstructSettings[Name] extends number ? Name : never;
}[keyof SelfInstructSettings];

/** A number that counts once it is one, and stays what is typed until then. */
function NumberField({
  name,
  label,
  hint,
  least,
  most,
  whole = false,
  disabled,
}: {
  name: NumberName;
  label: string;
  hint?: ReactNode;
  least: number;
  most: number;
  whole?: boolean;
  disabled: boolean;
}) {
  const value = useSelfInstruct((state) => state.draft.settings[name]);
  const set = useSelfInstruct((state) => state.set);
  const [typed, setTyped] = useState<string | null>(null);
  const shown = typed ?? String(value);
  const number = Number(shown.replace(',', '.'));
  const valid = shown.trim() !== '' && number >= least && number <= most && (!whole || Number.isInteger(number));
  return (
    <Labelled label={label} hint={hint}>
      <Input
        inputMode={whole ? 'numeric' : 'decimal'}
        value={shown}
        readOnly={disabled}
        aria-invalid={!valid || undefined}
        onChange={({ target }) => {
          setTyped(target.value);
          const next = Number(target.value.replace(',', '.'));
          if (target.value.trim() === '' || !(next >= least && next <= most) || (whole && !Number.isInteger(next)))
            return;
          set({ [name]: next });
        }}
        onBlur={() => setTyped(null)}
      />
    </Labelled>
  );
}

/** How much is written and how, and the button that begins. */
export function WritingPanel({ why }: { why: string | false }) {
  const { draft, writing, now, end, start, pause, set } = useSelfInstruct(
    useFields('draft', 'writing', 'now', 'end', 'start', 'pause', 'set'),
  );
  const { settings, tasks, rounds } = draft;
  const wanted = settings.num_instructions_to_generate;
  const begun = tasks.length > 0 || rounds > 0;
  const state = `${text.kept(formatCount(tasks.length), formatCount(wanted))}`;
  return (
    <Panel title={text.settingsTitle}>
      <div className="space-y-3">
        <div className="grid grid-cols-2 gap-3">
          <NumberField
            name="num_instructions_to_generate"
            label={text.count}
            least={1}
            most={100_000}
            whole
            disabled={writing}
          />
          <NumberField name="seed" label={text.seed} least={0} most={2 ** 31} whole disabled={writing} />
          <NumberField name="temperature" label={text.temperature} least={0} most={2} disabled={writing} />
          <NumberField name="top_p" label={text.topP} least={0.01} most={1} disabled={writing} />
        </div>
        <details>
          <summary className="py-1 font-medium">{text.more}</summary>
          <div className="space-y-3 pt-2">
            <div className="grid grid-cols-2 gap-3">
              <NumberField
                name="request_batch_size"
                label={text.perRound}
                least={1}
                most={64}
                whole
                disabled={writing}
              />
              <NumberField name="max_tokens" label={text.maxTokens} least={16} most={4096} whole disabled={writing} />
            </div>
            <NumberField
              name="presence_penalty"
              label={text.penalty}
              hint={text.penaltyHint}
              least={0}
              most={2}
              disabled={writing}
            />
            <Check
              label={text.classificationOnly}
              hint={text.classificationOnlyHint}
              checked={settings.use_clf_seed_tasks_only}
              disabled={writing}
              onChange={({ target }) => set({ use_clf_seed_tasks_only: target.checked })}
            />
            <Check
              label={text.includeSeeds}
              checked={settings.include_seed_tasks}
              disabled={writing}
              onChange={({ target }) => set({ include_seed_tasks: target.checked })}
            />
          </div>
        </details>
        {writing ? (
          <Button size="large" className="w-full" onClick={pause}>
            <Pause aria-hidden size={18} fill="currentColor" /> {text.pause}
          </Button>
        ) : (
          <Button
            variant={tasks.length >= wanted ? 'secondary' : 'primary'}
            size="large"
            className="w-full"
            why={why}
            onClick={() => void start()}
          >
            <Play aria-hidden size={18} fill="currentColor" /> {begun ? text.resume : text.start}
          </Button>
        )}
        {why && !writing && <p className="text-[0.8125rem] text-muted">{why}</p>}
        {(writing || begun) && (
          <div className="space-y-1.5">
            <ProgressBar label={text.settingsTitle} value={tasks.length / wanted} text={state} />
            <p role="status">{end && end !== 'cancelled' ? `${state}. ${text[end]}` : state}</p>
          </div>
        )}
        {end === 'cancelled' && <p className="text-muted">{text.cancelled}</p>}
        {writing && (
          <>
            {now && (
              <p className="text-[0.8125rem] text-muted">
                {text.round(rounds + 1)}: {text.stages[now.stage]}, {now.done} / {now.total}
              </p>
            )}
            {now && (
              <div className="h-24 overflow-hidden rounded-md bg-sunken px-2.5 py-2">
                <p className="sr-only">{text.writesNow}</p>
                <p className="flex h-full flex-col-reverse overflow-hidden text-xs break-words whitespace-pre-wrap text-muted">
                  <span>{now.text}</span>
                </p>
              </div>
            )}
            <p className="text-[0.8125rem] text-muted">{text.pausing}</p>
          </>
        )}
      </div>
    </Panel>
  );
}
