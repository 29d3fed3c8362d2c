import { Download, Play } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useBlockers } from '../../../stores/blockers';
import { useRecipe } from '../../../stores/recipe';
import { useRuns } from '../../../stores/runs';
import {
  chooseVotes,
  countOf,
  type Lesson,
  lackingVotes,
  linesOf,
  objectiveOfLesson,
  votedRun,
} from '../../../stores/train-votes';
import { runActive, useTraining } from '../../../stores/training';
import { useVotes } from '../../../stores/votes';
import { common } from '../../text/common';
import { votesText as text } from '../../text/votes';
import { Button } from '../../ui/Button';
import { ErrorNotice } from '../../ui/Notice';
import { downloadBlob } from '../../util/downloadBlob';
import { navigate } from '../../util/route';
import { startTraining } from '../../util/runActions';

const lessons: readonly Lesson[] = ['pairs', 'judged'];

/** Trains on the votes at once, as pairs or as marked answers; or takes them away as files. */
export function TrainVotes() {
  const votes = useVotes((state) => state.votes);
  const active = useTraining(runActive);
  const source = useRecipe((state) => state.recipe.dataset.source);
  const runs = useRuns((state) => state.runs);
  const blockers = useBlockers();
  /** The dataset of a press: training starts when it is read and planned. */
  const [wanted, setWanted] = useState<string | null>(null);
  const [storing, setStoring] = useState(false);
  const blocker = blockers.find(({ waiting }) => !waiting);
  const preparing = storing || (wanted !== null && !blocker);
  const ready = wanted !== null && wanted === source && blockers.length === 0 && !active;
  useEffect(() => {
    if (!ready) return;
    setWanted(null);
    startTraining();
  }, [ready]);
  const model = useRecipe((state) => state.recipe.model.source);
  const continued = votedRun(votes, runs, model);
  const known = lessons.flatMap((lesson) => {
    const objective = objectiveOfLesson(lesson);
    return objective ? [{ lesson, objective }] : [];
  });
  const whyNot = (lesson: Lesson) => {
    const lacking = lackingVotes(lesson, votes);
    if (lacking) return lacking === 'pairs' ? text.needPairs : text.needBoth;
    return (active && common.runInProgress) || (preparing && text.preparing);
  };
  async function choose(lesson: Lesson, train: boolean) {
    setStoring(true);
    const chosen = await chooseVotes(lesson);
    setStoring(false);
    if (chosen === null) return;
    if (train) setWanted(chosen);
    else navigate('recipe');
  }
  return (
    <section aria-label={text.train} className="space-y-3 border-t pt-4">
      <h3 className="font-semibold">{text.train}</h3>
      <p className="text-[0.8125rem] text-muted">{continued ? text.continues(continued.name) : text.fromBase}</p>
      <ul className="space-y-3">
        {known.map(({ lesson, objective }, i) => (
          <li key={lesson} className="space-y-1">
            <div className="flex flex-wrap items-center gap-2">
              <Button
                variant={i === 0 ? 'primary' : 'secondary'}
                why={whyNot(lesson)}
                onClick={() => choose(lesson, true)}
              >
                <Play aria-hidden size={14} fill="currentColor" />{' '}
                {(lesson === 'pairs' ? text.trainPairs : text.trainJudged)(countOf(lesson, votes))}
              </Button>
              <Button variant="quiet" why={whyNot(lesson)} onClick={() => choose(lesson, false)}>
                {text.settings}
              </Button>
            </div>
            <p className="text-[0.8125rem] text-muted">
              {(lesson === 'pairs' ? text.pairsHint : text.judgedHint)(objective.label)}
            </p>
          </li>
        ))}
      </ul>
      {preparing && <p role="status">{text.preparing}</p>}
      {wanted !== null && blocker && <ErrorNotice error={blocker.error} onDismiss={() => setWanted(null)} />}
      <div className="flex flex-wrap gap-2">
        {lessons.map((lesson) => (
          <Button
            key={lesson}
            variant="quiet"
            size="small"
            why={lackingVotes(lesson, votes) === 'pairs' && text.needPairs}
            onClick={() =>
              downloadBlob(
                new Blob([linesOf(lesson, votes)], { type: 'application/jsonl' }),
                lesson === 'pairs' ? 'votes.jsonl' : 'marked-answers.jsonl',
              )
            }
          >
            <Download aria-hidden size={14} /> {lesson === 'pairs' ? text.exportPairs : text.exportJudged}
          </Button>
        ))}
      </div>
    </section>
  );
}
