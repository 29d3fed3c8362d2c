import { useId, useState } from 'react';
import { formatParts } from '../../../data/parts';
import type { RecipePath } from '../../../recipe/fields';
import type { DatasetFormat } from '../../../recipe/types';
import { columnText as text } from '../../text/data';
import { Button } from '../../ui/Button';
import { Labelled, Select } from '../../ui/Field';
import { Panel } from '../../ui/Panel';

/** For a table whose columns were not recognised: the person says which of them holds what. */
export function MapColumns({
  columns,
  onApply,
}: {
  columns: string[];
  onApply: (changes: Partial<Record<RecipePath, unknown>>) => void;
}) {
  const [format, setFormat] = useState<DatasetFormat>('prompt_completion');
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const id = useId();
  const parts = format === 'auto' ? [] : formatParts[format].required[0]!;
  const missing = parts.find((part) => !chosen[part]);
  const options = [{ value: '', label: text.choose }, ...columns.map((name) => ({ value: name, label: name }))];
  return (
    <Panel title={text.title}>
      <form
        aria-labelledby={id}
        className="flex flex-wrap items-end gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (missing) return;
          const mapping = Object.fromEntries(parts.map((part) => [part, chosen[part]!]));
          onApply({ 'dataset.format': format, 'dataset.columns': mapping });
        }}
      >
        <span id={id} className="sr-only">
          {text.form}
        </span>
        <Labelled label={text.rowIs}>
          <Select
            value={format}
            options={text.rowKinds}
            onChange={(event) => setFormat(event.target.value as DatasetFormat)}
          />
        </Labelled>
        {parts.map((part) => (
          <Labelled key={part} label={text.parts[part] ?? part}>
            <Select
              value={chosen[part] ?? ''}
              options={options}
              onChange={(event) => setChosen({ ...chosen, [part]: event.target.value })}
            />
          </Labelled>
        ))}
        <Button type="submit" variant="primary" why={missing && text.chooseFirst(text.parts[missing] ?? missing)}>
          {text.apply}
        </Button>
      </form>
    </Panel>
  );
}
