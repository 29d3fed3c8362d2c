import { useState } from 'react';
import type { RunRecord } from '../../../storage/types';
import { useRunTable } from '../../../stores/run-table';
import { useRuns } from '../../../stores/runs';
import { common } from '../../text/common';
import { labelsText as text } from '../../text/runs';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Input, Labelled, Textarea } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { tagsIn } from './columns';

const LONGEST_NOTE = 4000;

/** The tags and the note of a run. */
export function LabelsDialog({
  run,
  known,
  onClose,
}: {
  run: RunRecord | null;
  /** Tags that other runs have. */
  known: string[];
  onClose: () => void;
}) {
  return (
    <Dialog open={run !== null} onClose={onClose} title={run ? text.title(run.name) : ''}>
      {run && <Fields run={run} known={known} onClose={onClose} />}
    </Dialog>
  );
}

function Fields({ run, known, onClose }: { run: RunRecord; known: string[]; onClose: () => void }) {
  const label = useRunTable((state) => state.label);
  const [tags, setTags] = useState((run.tags ?? []).join(', '));
  const [note, setNote] = useState(run.note ?? '');
  const error = useRuns((state) => state.error);
  const offered = known.filter((tag) => !tagsIn(tags).includes(tag));
  async function save() {
    const written = tagsIn(tags);
    const change = { tags: written.length > 0 ? written : undefined, note: note.trim() };
    // If it could not be saved, what was typed stays here, with the reason.
    if (await label(run.id, change)) onClose();
  }
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Labelled label={text.tags} hint={text.tagsHint}>
        <Input value={tags} onChange={(event) => setTags(event.target.value)} />
      </Labelled>
      {offered.length > 0 && (
        <fieldset className="flex flex-wrap gap-1">
          <legend className="mb-1 text-[0.8125rem] text-muted">{text.known}</legend>
          {offered.map((tag) => (
            <Button key={tag} size="small" onClick={() => setTags([...tagsIn(tags), tag].join(', '))}>
              {tag}
            </Button>
          ))}
        </fieldset>
      )}
      <Labelled label={text.note}>
        <Textarea rows={4} maxLength={LONGEST_NOTE} value={note} onChange={(event) => setNote(event.target.value)} />
      </Labelled>
      {error && <ErrorNotice error={error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>{common.cancel}</Button>
        <Button type="submit" variant="primary">
          {text.save}
        </Button>
      </div>
    </form>
  );
}
