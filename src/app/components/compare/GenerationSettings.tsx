import { useCompare } from '../../../stores/compare';
import { Input, Labelled } from '../../ui/Field';
import { RangeField } from '../../ui/RangeField';

/** How the two answer. The same for both, but for the adapter's strength. */
export function GenerationSettings() {
  const { temperature, topP, seed, strength, maxNewTokens, set } = useCompare();
  return (
    <div className="grid gap-x-8 gap-y-4 sm:grid-cols-2 lg:grid-cols-3">
      <RangeField
        label="Temperature"
        min={0}
        max={2}
        step={0.1}
        value={temperature}
        text={temperature === 0 ? '0, always the likeliest word' : temperature.toFixed(1)}
        onChange={(value) => set({ temperature: value })}
      />
      <RangeField
        label="Adapter strength"
        min={0}
        max={2}
        step={0.1}
        value={strength}
        text={strength === 0 ? '0, as the base' : strength === 1 ? '1, as trained' : strength.toFixed(1)}
        onChange={(value) => set({ strength: value })}
      />
      <RangeField
        label="Longest answer"
        min={16}
        max={512}
        step={16}
        value={maxNewTokens}
        text={`${maxNewTokens} tokens`}
        onChange={(value) => set({ maxNewTokens: value })}
      />
      <RangeField
        label="Top p"
        min={0.1}
        max={1}
        step={0.05}
        value={topP}
        text={topP.toFixed(2)}
        hint={temperature === 0 ? 'Without effect at temperature 0.' : undefined}
        onChange={(value) => set({ topP: value })}
      />
      <Labelled
        label="Seed"
        hint={temperature === 0 ? 'Without effect at temperature 0.' : 'The same seed gives the same answer.'}
      >
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
