import { Play, Square } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useBlockers } from '../../../stores/blockers';
import { CLASSES_FILE, CLASSES_SOURCE, countTexts, lacking, settingsFor, useClasses } from '../../../stores/classes';
import { useRecipe } from '../../../stores/recipe';
import { runActive, useTraining } from '../../../stores/training';
import { classesText as text } from '../../text/classes';
import { common } from '../../text/common';
import { runText } from '../../text/run';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatPlural } from '../../util/format';
import { hashOf } from '../../util/route';
import { trainHere } from '../../util/runActions';
import { RunProgress } from '../run/RunProgress';

/** Trains on the classes without leaving the page. `trained`: there is something to train again. */
export function TrainClasses({ trained }: { trained: boolean }) {
  const classes = useClasses((state) => state.classes);
  const choose = useClasses((state) => state.choose);
  const active = useTraining(runActive);
  const stop = useTraining((state) => state.stop);
  const error = useTraining((state) => state.error);
  const run = useTraining((state) => state.run);
  const own = useRecipe((state) => state.recipe.dataset.source === CLASSES_SOURCE);
  const blockers = useBlockers();
  /** Pressed: it starts when the examples are tokenised and the run is planned. */
  const [wanted, setWanted] = useState(false);
  const texts = countTexts(classes);
  const why = lacking(classes);
  const blocker = blockers.find(({ waiting }) => !waiting);
  const ready = wanted && own && blockers.length === 0 && !active;
  useEffect(() => {
    if (!ready) return;
    setWanted(false);
    trainHere();
  }, [ready]);
  async function train() {
    if (await choose()) setWanted(true);
  }
  const holdsOut = settingsFor(texts)['dataset.validation_split'] !== 0;
  const mine = run?.recipe.dataset.source === CLASSES_SOURCE;
  return (
    <Panel title={text.trainTitle}>
      <div className="space-y-3">
        <p>
          {text.learnsFrom(formatPlural(texts, 'example'), formatPlural(classes.length, 'class', 'classes'))}{' '}
          {holdsOut ? text.heldOut : text.allLearned}
        </p>
        {active ? (
          <>
            <RunProgress compact />
            <Button onClick={stop}>
              <Square aria-hidden size={14} fill="currentColor" /> {common.stop}
            </Button>
          </>
        ) : (
          <Button
            variant="primary"
            size="large"
            why={why ? text.lacking[why] : wanted && !blocker && runText.preparing}
            onClick={train}
            className="w-full"
          >
            <Play aria-hidden size={18} fill="currentColor" /> {trained ? text.trainAgain : text.trainNow}
          </Button>
        )}
        {why && <p className="text-[0.8125rem] text-muted">{text.lacking[why]}</p>}
        {wanted && blocker && <ErrorNotice error={blocker.error} onDismiss={() => setWanted(false)} />}
        {!active && mine && error && <ErrorNotice error={error} />}
        <p className="text-[0.8125rem] text-muted">
          {text.keptAs(CLASSES_FILE)}{' '}
          <a className="underline underline-offset-2" href={hashOf(active ? 'train' : 'recipe')}>
            {active ? text.watch : text.settings}
          </a>
        </p>
      </div>
    </Panel>
  );
}
