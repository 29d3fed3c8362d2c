import { useComparing } from '../../../stores/comparing';
import { useFields } from '../../../stores/select';
import { common } from '../../text/common';
import { generationText as text } from '../../text/comparing';
import { Input, Labelled } from '../../ui/Field';
import { RangeField } from '../../ui/RangeField';
import { useColumns } from './useColumns';

/** Settings for all answers, and the strength of everything but the base. */
export function GenerationSettings() {
  const { temperature, topP, seed, maxNewTokens, set } = useComparing(
    useFields('temperature', 'topP', 'seed', 'maxNewTokens', 'set'),
  );
  return (
    <div className="grid gap-x-8 gap-y-4 sm:grid-cols-2 lg:grid-cols-3">
      <RangeField
        label={text.temperature}
        min={0}
        max={2}
        step={0.1}
        value={temperature}
        text={temperature === 0 ? text.greedy : temperature.toFixed(1)}
        onChange={(value) => set({ temperature: value })}
      />
      <Strength />
      <RangeField
        label={text.maxLength}
        min={16}
        max={512}
        step={16}
        value={maxNewTokens}
        text={common.tokens(String(maxNewTokens))}
        onChange={(value) => set({ maxNewTokens: value })}
      />
      <RangeField
        label={text.topP}
        min={0.1}
        max={1}
        step={0.05}
        value={topP}
        text={topP.toFixed(2)}
        hint={temperature === 0 ? text.noEffect : undefined}
        onChange={(value) => set({ topP: value })}
      />
      <Labelled label={text.seed} hint={temperature === 0 ? text.noEffect : text.seedHint}>
        <Input
          type="number"
          min={0}
          step={1}
          value={seed}
          onChange={(event) => set({ seed: Math.max(0, Math.floor(event.target.valueAsNumber || 0)) })}
          className="max-w-40"
        />
      </Labelled>
    </div>
  );
}

/** The one control of how much of what was learned is used. */
export function Strength() {
  const strength = useComparing((state) => state.strength);
  const set = useComparing((state) => state.set);
  const { virtual } = useColumns();
  return (
    <RangeField
      label={text.strength}
      hint={virtual ? text.virtualTokensHint : text.strengthHint}
      min={0}
      max={1.5}
      step={0.1}
      value={strength}
      text={strength === 0 ? text.asBase : strength === 1 ? text.asTrained : strength.toFixed(1)}
      onChange={(value) => set({ strength: Math.round(value * 10) / 10 })}
    />
  );
}
