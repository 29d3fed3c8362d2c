import { ArrowRight, Play } from 'lucide-react';
import { useEffect } from 'react';
import { objectiveOf } from '../../objectives';
import { outcomeOf } from '../../stores/announcements';
import { useChartView } from '../../stores/chart-view';
import { earnsRewards } from '../../stores/evaluations';
import { usePreferences } from '../../stores/preferences';
import { useRuns } from '../../stores/runs';
import { useFields } from '../../stores/select';
import { runActive, useTraining } from '../../stores/training';
import { ClassMetrics } from '../components/train/ClassMetrics';
import { ClassReportPanel } from '../components/train/ClassReportPanel';
import { FirstRun } from '../components/train/FirstRun';
import { LossPanel } from '../components/train/LossPanel';
import { ObjectiveCharts, RunRemarks } from '../components/train/ObjectiveCharts';
import { RecentRuns } from '../components/train/RecentRuns';
import { RolloutsPanel } from '../components/train/RolloutsPanel';
import { RunFacts, RunTitle } from '../components/train/RunFacts';
import { SamplesPanel } from '../components/train/SamplesPanel';
import { SmallCharts } from '../components/train/SmallCharts';
import { common } from '../text/common';
import { trainText as text } from '../text/train';
import { Button } from '../ui/Button';
import { Check } from '../ui/Check';
import { ErrorNotice, Notice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { navigate } from '../util/route';
import { continueRun } from '../util/runActions';

function Outcome() {
  const { run, error, resumable, summary, dismissError } = useTraining(
    useFields('run', 'error', 'resumable', 'summary', 'dismissError'),
  );
  const active = useTraining(runActive);
  if (error) {
    return (
      <ErrorNotice
        error={error}
        onDismiss={dismissError}
        actions={
          run &&
          resumable &&
          !active && (
            <Button variant="primary" onClick={() => continueRun(run)}>
              <Play aria-hidden size={16} fill="currentColor" />
              {common.resume}
            </Button>
          )
        }
      />
    );
  }
  // Shown once, when the run has just ended; a past run has its badge.
  if (active || !run || !summary) return null;
  return (
    <Notice
      title={outcomeOf(run)}
      actions={
        <Button variant="primary" onClick={() => navigate('compare')}>
          {text.compare} <ArrowRight aria-hidden size={16} />
        </Button>
      }
    >
      {run.bestEvalLoss !== null && run.bestStep !== null && (
        <p>{(earnsRewards(run) ? text.bestReward : text.bestStep)(run.bestStep)}</p>
      )}
    </Notice>
  );
}

function NotifyOption() {
  const notifyWhenDone = usePreferences((state) => state.notifyWhenDone);
  const set = usePreferences((state) => state.set);
  if (!('Notification' in window)) return null;
  const refused = Notification.permission === 'denied';
  return (
    <Check
      label={text.notify}
      hint={refused ? text.notifyRefused : undefined}
      checked={notifyWhenDone && !refused}
      disabled={refused}
      onChange={async (event) => {
        const wanted = event.target.checked;
        if (wanted && (await Notification.requestPermission()) !== 'granted') return;
        set({ notifyWhenDone: wanted });
      }}
    />
  );
}

export function TrainPage() {
  const run = useTraining((state) => state.run);
  const active = useTraining(runActive);
  const known = useRuns((state) => state.known);
  const shown = run?.id;
  /** Where the loss does not show progress, its chart comes late, with the reason. */
  const lossNote = run ? objectiveOf(run.recipe.objective)?.lossSaysLittle : undefined;
  const says = lossNote === undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another run has other steps.
  useEffect(() => useChartView.setState({ step: null, range: null }), [shown]);
  return (
    <Page name="train" aside={<NotifyOption />}>
      <Outcome />
      {run || active ? (
        <>
          {run && <RunTitle run={run} />}
          <RunRemarks />
          {says && <LossPanel />}
          <ObjectiveCharts />
          <RolloutsPanel />
          <ClassMetrics />
          <SamplesPanel />
          {run && <RunFacts run={run} />}
          <ClassReportPanel />
          {!says && <LossPanel note={lossNote} />}
          <SmallCharts />
        </>
      ) : (
        known && <FirstRun />
      )}
      <RecentRuns />
    </Page>
  );
}
