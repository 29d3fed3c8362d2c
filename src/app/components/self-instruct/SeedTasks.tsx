import { FileUp, Plus, Trash2, X } from 'lucide-react';
import { type SeedTask, seedTasks } from '../../../self-instruct';
import { useSelfInstruct } from '../../../stores/self-instruct';
import { selfInstructText as text } from '../../text/self-instruct';
import { Badge } from '../../ui/Badge';
import { Button } from '../../ui/Button';
import { Check } from '../../ui/Check';
import { Labelled, Textarea } from '../../ui/Field';
import { IconButton } from '../../ui/IconButton';
import { Panel } from '../../ui/Panel';
import { datasetEndings, pick } from '../../util/fileDialogs';
import { formatPlural } from '../../util/format';

const fresh: SeedTask = { instruction: '', instances: [{ input: '', output: '' }], classification: false };

/** The tasks that the model is shown; each opens to be changed. */
export function SeedTasks({ why }: { why: string | false }) {
  const seeds = useSelfInstruct((state) => state.draft.seeds);
  const setSeeds = useSelfInstruct((state) => state.setSeeds);
  const readSeeds = useSelfInstruct((state) => state.readSeeds);
  const put = (index: number, seed: SeedTask) => setSeeds(seeds.map((one, i) => (i === index ? seed : one)));
  return (
    <Panel
      title={`${text.seedsTitle} (${seeds.length})`}
      description={text.seedsHint}
      flush
      aside={
        <>
          <Button size="small" why={why} onClick={() => setSeeds([...seedTasks])}>
            {text.ours}
          </Button>
          <Button
            size="small"
            why={why}
            onClick={() => pick({ accept: datasetEndings.join(',') }, (list) => readSeeds(list[0]!))}
          >
            <FileUp aria-hidden size={14} /> {text.openSeeds}
          </Button>
        </>
      }
    >
      <ul className="border-t">
        {seeds.map((seed, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a task keeps its place; its words change while they are typed.
          <li key={index} className="border-b">
            <details>
              <summary className="px-4 py-2 break-words">
                {seed.instruction || <span className="text-muted">{text.noInstruction}</span>}{' '}
                {seed.classification && <Badge>{text.classification}</Badge>}{' '}
                <span className="text-[0.8125rem] text-muted">{formatPlural(seed.instances.length, 'example')}</span>
              </summary>
              <Edit
                seed={seed}
                why={why}
                onChange={(changed) => put(index, changed)}
                onRemove={() => setSeeds(seeds.filter((_, i) => i !== index))}
              />
            </details>
          </li>
        ))}
      </ul>
      <div className="px-4 py-3">
        <Button why={why} onClick={() => setSeeds([...seeds, { ...fresh, instruction: text.newSeed }])}>
          <Plus aria-hidden size={16} /> {text.addSeed}
        </Button>
      </div>
    </Panel>
  );
}

function Edit({
  seed,
  why,
  onChange,
  onRemove,
}: {
  seed: SeedTask;
  why: string | false;
  onChange: (seed: SeedTask) => void;
  onRemove: () => void;
}) {
  const { instruction, instances, classification } = seed;
  const readOnly = why !== false;
  const setInstance = (index: number, change: Partial<SeedTask['instances'][number]>) =>
    onChange({ ...seed, instances: instances.map((one, i) => (i === index ? { ...one, ...change } : one)) });
  return (
    <div className="space-y-3 px-4 pt-1 pb-4">
      <Labelled label={text.instruction}>
        <Textarea
          rows={2}
          readOnly={readOnly}
          value={instruction}
          onChange={({ target }) => onChange({ ...seed, instruction: target.value })}
        />
      </Labelled>
      {instances.map(({ input, output }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an example keeps its place.
        <div key={i} className="flex items-end gap-2">
          <div className="grid min-w-0 flex-1 gap-2 sm:grid-cols-2">
            <Labelled label={text.inputOf(i + 1)}>
              <Textarea
                rows={2}
                readOnly={readOnly}
                value={input}
                onChange={({ target }) => setInstance(i, { input: target.value })}
              />
            </Labelled>
            <Labelled label={text.outputOf(i + 1)}>
              <Textarea
                rows={2}
                readOnly={readOnly}
                value={output}
                onChange={({ target }) => setInstance(i, { output: target.value })}
              />
            </Labelled>
          </div>
          {instances.length > 1 && (
            <IconButton
              icon={X}
              size="small"
              label={text.removeExample(i + 1)}
              why={why}
              onClick={() => onChange({ ...seed, instances: instances.filter((_, other) => other !== i) })}
            />
          )}
        </div>
      ))}
      <Check
        label={text.isClassification}
        checked={classification === true}
        disabled={readOnly}
        onChange={({ target }) => onChange({ ...seed, classification: target.checked })}
      />
      <div className="flex flex-wrap gap-2">
        <Button
          size="small"
          why={why}
          onClick={() => onChange({ ...seed, instances: [...instances, { input: '', output: '' }] })}
        >
          <Plus aria-hidden size={14} /> {text.addExample}
        </Button>
        <Button size="small" variant="danger" why={why} onClick={onRemove}>
          <Trash2 aria-hidden size={14} /> {text.removeSeed}
        </Button>
      </div>
    </div>
  );
}
