import { Trash2 } from 'lucide-react';
import { useId, useState } from 'react';
import type { FieldSpec } from '../../../recipe/spec';
import { type RewardSection, rewardOf } from '../../../rewards';
import { useCodeConsent, useMayRun } from '../../../stores/code-consent';
import { useData } from '../../../stores/data';
import { rewardsText as text } from '../../text/rewards';
import { Button } from '../../ui/Button';
import { Check } from '../../ui/Check';
import { Input, Labelled, Select } from '../../ui/Field';
import { IconButton } from '../../ui/IconButton';
import { Notice } from '../../ui/Notice';
import { TextBlock } from './TextBlock';

/** A reward as it was written, right or wrong. */
export type WrittenReward = Record<string, unknown> & { type: RewardSection['type'] };

/** Keeps a number as it is typed. What is no number goes on as text, which is refused with a sentence. */
function NumberInput({
  value,
  onChange,
  ...rest
}: {
  value: unknown;
  onChange: (value: unknown) => void;
  id?: string;
}) {
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <Input
      {...rest}
      inputMode="decimal"
      autoComplete="off"
      value={draft ?? String(value ?? '')}
      onChange={({ target }) => {
        setDraft(target.value);
        const typed = target.value.trim();
        const number = Number(typed);
        onChange(typed !== '' && Number.isFinite(number) ? number : typed);
      }}
      onBlur={() => setDraft(null)}
    />
  );
}

function RewardField({
  name,
  spec,
  value,
  invalid,
  onChange,
}: {
  name: string;
  spec: FieldSpec;
  value: unknown;
  invalid: boolean;
  onChange: (value: unknown) => void;
}) {
  const columns = useData((state) => state.dataset?.columns);
  const id = useId();
  if (spec.kind === 'bool') {
    return (
      <Check
        label={spec.label}
        hint={spec.help}
        checked={value === true}
        onChange={({ target }) => onChange(target.checked)}
      />
    );
  }
  const described = { id, 'aria-describedby': `${id}-help`, 'aria-invalid': invalid || undefined };
  const suggested = name === 'column' && columns !== undefined;
  const control = () => {
    switch (spec.kind) {
      case 'select':
        return (
          <Select
            {...described}
            value={String(value)}
            options={spec.options}
            onChange={({ target }) => onChange(target.value)}
          />
        );
      case 'number':
      case 'int':
        return <NumberInput {...described} value={value} onChange={onChange} />;
      case 'code':
      case 'lines':
        return (
          <TextBlock
            field={spec}
            id={id}
            describedBy={`${id}-help`}
            invalid={invalid}
            value={value}
            onChange={onChange}
          />
        );
      default:
        return (
          <Input
            {...described}
            autoComplete="off"
            spellCheck={false}
            list={suggested ? `${id}-columns` : undefined}
            placeholder={spec.kind === 'text' ? spec.placeholder : undefined}
            value={String(value ?? '')}
            onChange={({ target }) => onChange(target.value === '' && spec.default === null ? null : target.value)}
          />
        );
    }
  };
  const wide = spec.kind === 'code' || spec.kind === 'lines';
  return (
    <div className={wide ? 'col-span-full' : 'min-w-0'}>
      <label htmlFor={id} className="mb-1 block text-[0.8125rem] font-medium">
        {spec.label}
      </label>
      {control()}
      {suggested && (
        <datalist id={`${id}-columns`}>
          {columns.map((column) => (
            <option key={column} value={column} />
          ))}
        </datalist>
      )}
      <p id={`${id}-help`} className="mt-1 text-[0.8125rem] text-muted">
        {spec.help}
      </p>
    </div>
  );
}

/** Code that the person has not written or agreed to says so. What is changed of code that may run may run too. */
function Consent({ code }: { code: string }) {
  const may = useMayRun(code);
  const allow = useCodeConsent((state) => state.allow);
  if (may) return <p className="col-span-full text-[0.8125rem] text-muted">{text.apart}</p>;
  return (
    <div className="col-span-full">
      <Notice
        tone="warning"
        title={text.consent.title}
        actions={<Button onClick={() => allow(code, true)}>{text.consent.allow}</Button>}
      >
        <p>{text.consent.text}</p>
      </Notice>
    </div>
  );
}

/** One reward: its name and weight, and the fields of its type. */
export function RewardCard({
  written,
  name,
  problems,
  onChange,
  onRemove,
}: {
  written: WrittenReward;
  /** As metrics have it. */
  name: string;
  /** By field. */
  problems: { key: string; text: string }[];
  onChange: (next: WrittenReward) => void;
  onRemove: () => void;
}) {
  const reward = rewardOf(written);
  const fields = reward.fields as Record<string, FieldSpec>;
  const code = written.type === 'javascript' ? String(written.code ?? fields.code?.default) : null;
  const mayRun = useMayRun(code ?? '');
  const allow = useCodeConsent((state) => state.allow);
  const set = (key: string, value: unknown) => {
    // Typing into code that may run is writing it; one that came with a recipe asks for consent however it is changed.
    if (key === 'code' && mayRun) allow(String(value), false);
    onChange({ ...written, [key]: value });
  };
  return (
    <fieldset
      className="min-w-0 rounded-md border p-3"
      onBlur={() => {
        if (code !== null && mayRun) allow(code, true);
      }}
    >
      <legend className="float-left text-sm font-semibold">{reward.label}</legend>
      <div className="flex justify-end">
        <IconButton icon={Trash2} label={text.remove(name)} size="small" onClick={onRemove} />
      </div>
      <p className="clear-left text-muted">{reward.text}</p>
      <div className="mt-3 grid grid-cols-[minmax(0,1fr)_6rem] gap-3">
        <Labelled label={text.name}>
          <Input
            autoComplete="off"
            spellCheck={false}
            placeholder={name}
            value={String(written.name ?? '')}
            onChange={({ target }) => set('name', target.value === '' ? undefined : target.value)}
          />
        </Labelled>
        <Labelled label={text.weight}>
          <NumberInput value={written.weight ?? 1} onChange={(value) => set('weight', value)} />
        </Labelled>
      </div>
      <div className="mt-3 grid items-start gap-3 @min-[26rem]/reward:grid-cols-2">
        {Object.entries(fields).map(([key, spec]) => (
          <RewardField
            key={key}
            name={key}
            spec={spec}
            value={written[key] === undefined ? spec.default : written[key]}
            invalid={problems.some((problem) => problem.key === key)}
            onChange={(value) => set(key, value)}
          />
        ))}
        {code !== null && <Consent code={code} />}
      </div>
      {problems.map((problem) => (
        <p key={problem.text} className="mt-2 font-medium text-danger">
          {problem.text}
        </p>
      ))}
    </fieldset>
  );
}
