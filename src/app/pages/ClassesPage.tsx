import { FileUp, Plus, Undo2 } from 'lucide-react';
import { useEffect, useMemo } from 'react';
import { asJsonLines, CLASSES_SOURCE, sharedTexts, useClasses } from '../../stores/classes';
import { useCompare } from '../../stores/compare';
import { useFields } from '../../stores/select';
import { runActive, useTraining } from '../../stores/training';
import { ClassCard } from '../components/classes/ClassCard';
import { TrainClasses } from '../components/classes/TrainClasses';
import { TryClasses } from '../components/classes/TryClasses';
import { useTrainedOn } from '../components/classes/useTrainedOn';
import { classesText as text } from '../text/classes';
import { common } from '../text/common';
import { Button } from '../ui/Button';
import { ErrorNotice, Notice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { navigate } from '../util/route';

/** Classes typed by hand: examples, training and trying on one page. */
export function ClassesPage() {
  const { classes, status, error, removed, load, addClass, undo } = useClasses(
    useFields('classes', 'status', 'error', 'removed', 'load', 'addClass', 'undo'),
  );
  const adapter = useCompare((state) => state.adapter);
  const training = useTraining(runActive);
  useEffect(() => void load(), [load]);
  const shared = useMemo(() => sharedTexts(classes), [classes]);
  const run = adapter?.kind === 'run' && adapter.run.recipe.dataset.source === CLASSES_SOURCE ? adapter.run : null;
  const lines = useMemo(() => asJsonLines(classes), [classes]);
  const same = useTrainedOn(run?.inputs?.dataset.sha256, lines);
  const why = training && common.runInProgress;
  return (
    <Page
      name="data"
      lead={text.lead}
      aside={
        <Button onClick={() => navigate('data')}>
          <FileUp aria-hidden size={16} /> {text.files}
        </Button>
      }
    >
      {error && <ErrorNotice error={error} />}
      <div className="grid items-start gap-4 min-[60rem]:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0 space-y-4">
          <h2 className="sr-only">{text.classes}</h2>
          {removed && (
            <Notice
              announced
              title={text.removed(removed.what)}
              actions={
                <Button size="small" onClick={undo}>
                  <Undo2 aria-hidden size={14} /> {text.undo}
                </Button>
              }
            />
          )}
          {shared.length > 0 && (
            <Notice tone="warning">{text.shared(shared[0]!, text.andMore(shared.length - 1))}</Notice>
          )}
          {status === 'ready' && (
            <ul className="space-y-4">
              {classes.map((value, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a class keeps its place; its name changes while it is typed.
                <ClassCard key={index} index={index} value={value} why={why} />
              ))}
            </ul>
          )}
          <Button why={why} onClick={() => addClass(text.newClass(classes.length + 1))}>
            <Plus aria-hidden size={16} /> {text.addClass}
          </Button>
        </div>
        <div className="min-w-0 space-y-4 min-[60rem]:sticky min-[60rem]:top-4">
          <TrainClasses trained={run !== null} />
          <TryClasses
            key={run?.id}
            trained={run !== null}
            stale={same === false}
            order={classes.map(({ name }) => name)}
          />
        </div>
      </div>
    </Page>
  );
}
