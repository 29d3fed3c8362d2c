import { fewShotPossible, useComparing } from '../../../stores/comparing';
import { useFields } from '../../../stores/select';
import { shotsText } from '../../text/comparing';
import { Labelled, Select } from '../../ui/Field';

const COUNTS = [1, 2, 3, 5, 8];

/** Whether the base gets a column with examples in its prompt, and how many. */
export function FewShotChoice() {
  const { shots, split, set } = useComparing(useFields('shots', 'split', 'set'));
  const possible = fewShotPossible(split);
  return (
    <Labelled
      label={shotsText.label}
      hint={possible ? shotsText.hint : shotsText.noExamples}
      className="min-w-0 flex-1"
    >
      <Select
        value={String(shots)}
        disabled={!possible}
        options={[
          { value: '0', label: shotsText.none },
          ...COUNTS.map((count) => ({ value: String(count), label: shotsText.option(count) })),
        ]}
        onChange={({ target }) => set({ shots: Number(target.value) })}
      />
    </Labelled>
  );
}
