import { ArrowRight, Play } from 'lucide-react';
import { outcomeOf } from '../../stores/announcer';
import { usePreferences } from '../../stores/preferences';
import { useRuns } from '../../stores/runs';
import { useTraining } from '../../stores/training';
import { ClassMetrics } from '../components/train/ClassMetrics';
import { ClassReportPanel } from '../components/train/ClassReportPanel';
import { FirstRun } from '../components/train/FirstRun';
import { LossPanel } from '../components/train/LossPanel';
import { RecipeDiff } from '../components/train/RecipeDiff';
import { RunFacts } from '../components/train/RunFacts';
import { RunHistory } from '../components/train/RunHistory';
import { SamplesPanel } from '../components/train/SamplesPanel';
import { SmallCharts } from '../components/train/SmallCharts';
import { Button } from '../ui/Button';
import { Check } from '../ui/Check';
import { ErrorNotice, Notice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { navigate } from '../util/route';
import { continueRun } from '../util/runActions';

function Outcome() {
  const { phase, run, error, resumable, summary, dismissError } = useTraining();
  if (error) {
    return (
      <ErrorNotice
        error={error}
        onDismiss={dismissError}
        actions={
          run &&
          resumable &&
          phase === 'idle' && (
            <Button variant="primary" onClick={() => continueRun(run)}>
              <Play aria-hidden size={16} fill="currentColor" />
              Resume
            </Button>
          )
        }
      />
    );
  }
  // Said once, when the run has just ended; a past run says it in its badge.
  if (phase !== 'idle' || !run || !summary) return null;
  return (
    <Notice
      title={outcomeOf(run.status, run.step, run.totalSteps)}
      actions={
        <Button variant="primary" onClick={() => navigate('compare')}>
          Compare with the base <ArrowRight aria-hidden size={16} />
        </Button>
      }
    >
      {run.bestEvalLoss !== null && run.bestStep !== null && (
        <p>The best moment was step {run.bestStep}; that is what you compare and export.</p>
      )}
    </Notice>
  );
}

function NotifyOption() {
  const { notifyWhenDone, set } = usePreferences();
  if (!('Notification' in window)) return null;
  const refused = Notification.permission === 'denied';
  return (
    <Check
      label="Notify me when it is done"
      hint={refused ? 'This browser has notifications of this page switched off.' : undefined}
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
  const { run, phase } = useTraining();
  const known = useRuns((state) => state.known);
  return (
    <Page
      title="Train"
      lead="Watch it learn. It goes on in the background while this tab is open."
      aside={<NotifyOption />}
    >
      <Outcome />
      {run || phase !== 'idle' ? (
        <>
          {run && <RunFacts run={run} />}
          <LossPanel />
          <ClassMetrics />
          <ClassReportPanel />
          <SamplesPanel />
          <SmallCharts />
        </>
      ) : (
        known && <FirstRun />
      )}
      <RecipeDiff />
      <RunHistory />
    </Page>
  );
}
