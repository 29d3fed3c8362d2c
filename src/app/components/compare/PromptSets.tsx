import { Download, FileUp, Pencil, Play, Plus, Square, Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { promptSetText } from '../../../session/prompt-sets';
import { useCompare } from '../../../stores/compare';
import { useComparing } from '../../../stores/comparing';
import { HELD_OUT, promptsOf, usePromptSets } from '../../../stores/prompt-sets';
import { useFields } from '../../../stores/select';
import { promptText, setText as text } from '../../text/comparing';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { Labelled, Select } from '../../ui/Field';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { ProgressBar } from '../../ui/Progress';
import { downloadBlob } from '../../util/downloadBlob';
import { pick } from '../../util/fileDialogs';
import { useBlocked } from './PromptForm';
import { PromptSetDialog } from './PromptSetDialog';
import { SetTable } from './SetTable';

/** Sets of prompts: the held-out examples, and those that a person keeps. */
export function PromptSets() {
  const { sets, known, chosen, error, running, done, total, rows } = usePromptSets(
    useFields('sets', 'known', 'chosen', 'error', 'running', 'done', 'total', 'rows'),
  );
  const { load, choose, remove, run, cancel, dismiss, importFile } = usePromptSets(
    useFields('load', 'choose', 'remove', 'run', 'cancel', 'dismiss', 'importFile'),
  );
  // Rendered again when the held-out examples are known.
  useComparing((state) => state.split);
  const busy = useCompare((state) => state.generating);
  const blocked = useBlocked();
  const [editing, setEditing] = useState<'new' | 'chosen' | null>(null);
  const [deleting, setDeleting] = useState(false);
  useEffect(() => {
    if (!known) void load();
  }, [known, load]);
  const prompts = promptsOf({ chosen, sets });
  const own = chosen !== HELD_OUT;
  return (
    <div id="sets" className="scroll-mt-6">
      <Panel
        title={text.title}
        description={text.description}
        aside={
          <>
            <Button size="small" onClick={() => setEditing('new')}>
              <Plus aria-hidden size={14} /> {text.new}
            </Button>
            <Button size="small" onClick={() => pick({ accept: '.jsonl,.json,.txt' }, (list) => importFile(list[0]!))}>
              <FileUp aria-hidden size={14} /> {text.import}
            </Button>
          </>
        }
      >
        <div className="space-y-4">
          {error && <ErrorNotice error={error} onDismiss={dismiss} />}
          <div className="flex flex-wrap items-end gap-2">
            <Labelled label={text.set} className="w-64 max-w-full">
              <Select
                value={chosen}
                disabled={running}
                options={[
                  { value: HELD_OUT, label: text.heldOut(promptsOf({ chosen: HELD_OUT, sets }).length) },
                  ...sets.map(({ name, prompts: of }) => ({ value: name, label: text.option(name, of.length) })),
                ]}
                onChange={({ target }) => choose(target.value)}
              />
            </Labelled>
            {running ? (
              <Button onClick={cancel}>
                <Square aria-hidden size={14} fill="currentColor" /> {text.stop}
              </Button>
            ) : (
              <Button
                why={blocked || (prompts.length === 0 ? text.noPrompts : busy && promptText.wait)}
                onClick={() => void run()}
              >
                <Play aria-hidden size={14} fill="currentColor" /> {text.run(prompts.length)}
              </Button>
            )}
            {own && !running && (
              <>
                <Button variant="quiet" onClick={() => setEditing('chosen')}>
                  <Pencil aria-hidden size={14} /> {text.edit}
                </Button>
                <Button
                  variant="quiet"
                  onClick={() =>
                    downloadBlob(new Blob([promptSetText(prompts)], { type: 'application/jsonl' }), `${chosen}.jsonl`)
                  }
                >
                  <Download aria-hidden size={14} /> {text.export}
                </Button>
                <Button variant="quiet" onClick={() => setDeleting(true)}>
                  <Trash2 aria-hidden size={14} /> {text.delete}
                </Button>
              </>
            )}
          </div>
          {running && (
            <ProgressBar label={text.progress} value={done / Math.max(1, total)} text={text.done(done, total)} />
          )}
          {rows.length > 0 && <SetTable />}
        </div>
      </Panel>
      {editing && (
        <PromptSetDialog
          set={editing === 'chosen' ? { name: chosen, prompts } : null}
          onClose={() => setEditing(null)}
        />
      )}
      <Confirm
        open={deleting}
        title={text.deleteQuestion(chosen)}
        action={text.delete}
        onCancel={() => setDeleting(false)}
        onConfirm={async () => {
          setDeleting(false);
          await remove(chosen);
        }}
      >
        {text.deleteText}
      </Confirm>
    </div>
  );
}
