import { useId, useState } from 'react';
import { columnParts } from '../../../recipe/catalogue';
import type { DatasetFormat } from '../../../recipe/types';
import { useRecipe } from '../../../stores/recipe';
import { Button } from '../../ui/Button';
import { Labelled, Select } from '../../ui/Field';
import { Panel } from '../../ui/Panel';

const kinds: { value: DatasetFormat; label: string }[] = [
  { value: 'prompt_completion', label: 'A prompt and its answer' },
  { value: 'labelled', label: 'A text and its label' },
  { value: 'text', label: 'A text to read' },
];
const words: Record<string, string> = { prompt: 'Prompt', completion: 'Answer', text: 'Text', label: 'Label' };

/** For a table whose columns say nothing to us: which of them are what? */
export function MapColumns({ columns }: { columns: string[] }) {
  const set = useRecipe((state) => state.set);
  const [format, setFormat] = useState<DatasetFormat>('prompt_completion');
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const id = useId();
  const parts = columnParts[format];
  const missing = parts.find((part) => !chosen[part]);
  const options = [{ value: '', label: 'Choose a column' }, ...columns.map((name) => ({ value: name, label: name }))];
  return (
    <Panel title="Say which column is what">
      <form
        aria-labelledby={id}
        className="flex flex-wrap items-end gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (missing) return;
          const mapping = Object.fromEntries(parts.map((part) => [part, chosen[part]!]));
          set({ 'dataset.format': format, 'dataset.columns': mapping });
        }}
      >
        <span id={id} className="sr-only">
          Columns
        </span>
        <Labelled label="A row is">
          <Select value={format} options={kinds} onChange={(event) => setFormat(event.target.value as DatasetFormat)} />
        </Labelled>
        {parts.map((part) => (
          <Labelled key={part} label={words[part] ?? part}>
            <Select
              value={chosen[part] ?? ''}
              options={options}
              onChange={(event) => setChosen({ ...chosen, [part]: event.target.value })}
            />
          </Labelled>
        ))}
        <Button
          type="submit"
          variant="primary"
          why={missing && `Choose the column for “${words[missing] ?? missing}” first.`}
        >
          Read it so
        </Button>
      </form>
    </Panel>
  );
}
