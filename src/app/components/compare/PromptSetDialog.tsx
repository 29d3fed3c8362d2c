import { useState } from 'react';
import type { ErrorData } from '../../../base/errors';
import type { PromptSet } from '../../../session/comparison-types';
import { toErrorData } from '../../../stores/errors';
import { usePromptSets } from '../../../stores/prompt-sets';
import { common } from '../../text/common';
import { setText as text } from '../../text/comparing';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Input, Labelled, Textarea } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { linesOf, promptsIn } from './setLines';

/** Writes a new set, or changes one. */
export function PromptSetDialog({ set, onClose }: { set: PromptSet | null; onClose: () => void }) {
  const save = usePromptSets((state) => state.save);
  const [name, setName] = useState(set?.name ?? '');
  const [lines, setLines] = useState(() => linesOf(set?.prompts ?? []));
  const [error, setError] = useState<ErrorData | null>(null);
  const why = name.trim() === '' ? text.nameFirst : lines.trim() === '' ? text.promptsFirst : false;
  const submit = async () => {
    setError(null);
    try {
      const prompts = promptsIn(lines, name);
      if (await save(name.trim(), prompts, set?.name)) onClose();
      else setError(usePromptSets.getState().error);
    } catch (cause) {
      setError(toErrorData(cause, 'The set could not be saved.'));
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      shape="wide"
      title={set ? text.editTitle(set.name) : text.new}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button variant="primary" why={why} onClick={() => void submit()}>
            {text.save}
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        {error && <ErrorNotice error={error} />}
        <Labelled label={text.name}>
          <Input value={name} maxLength={80} onChange={({ target }) => setName(target.value)} />
        </Labelled>
        <Labelled label={text.prompts} hint={text.promptsHint}>
          <Textarea rows={10} value={lines} onChange={({ target }) => setLines(target.value)} />
        </Labelled>
      </div>
    </Dialog>
  );
}
