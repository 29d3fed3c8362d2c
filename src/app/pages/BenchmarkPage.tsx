import { Cuboid, Gauge } from 'lucide-react';
import { useEffect, useState } from 'react';
import { type BenchmarkProgress, stages } from '../../benchmark/result';
import { useBenchmark } from '../../stores/benchmark';
import { useModel } from '../../stores/model';
import { useFields } from '../../stores/select';
import { runActive, useTraining } from '../../stores/training';
import { Results } from '../components/benchmark/Results';
import { KernelsPanel } from '../components/model/KernelsPanel';
import { benchmarkText as text } from '../text/benchmark';
import { Button } from '../ui/Button';
import { ErrorNotice, Notice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { Panel } from '../ui/Panel';
import { ProgressBar } from '../ui/Progress';
import { formatDuration } from '../util/format';
import { navigate } from '../util/route';

/** Measures this device, and shows what came out. */
export function BenchmarkPage() {
  const { progress, result, error, gaveWay, start, cancel } = useBenchmark(
    useFields('progress', 'result', 'error', 'gaveWay', 'start', 'cancel'),
  );
  const device = useModel((state) => state.device);
  const training = useTraining(runActive);
  return (
    <Page
      name="model"
      lead={text.lead}
      aside={
        <Button onClick={() => navigate('model')}>
          <Cuboid aria-hidden size={16} /> {text.models}
        </Button>
      }
    >
      <Panel title={text.title} description={device?.software ? text.aboutSoftware : text.about}>
        {progress ? (
          <Running progress={progress} onCancel={cancel} />
        ) : (
          <Button variant="primary" why={training && text.whyRun} onClick={() => void start()}>
            <Gauge aria-hidden size={16} /> {result ? text.again : text.start}
          </Button>
        )}
      </Panel>
      {gaveWay && <Notice tone="warning">{text.gaveWay}</Notice>}
      {error && <ErrorNotice error={error} />}
      {result && <Results result={result} />}
      <KernelsPanel />
    </Page>
  );
}

function Running({ progress, onCancel }: { progress: BenchmarkProgress | 'opening'; onCancel: () => void }) {
  const began = useBenchmark((state) => state.began);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const opening = progress === 'opening';
  const value = opening ? null : progress.done / progress.total;
  const words = opening ? text.opening : `${text.stages[progress.stage]}: ${progress.what}`;
  return (
    <div className="space-y-2">
      <ProgressBar label={text.progress} value={value} text={words} />
      <p>{words}</p>
      <p className="text-[0.8125rem] text-muted">
        {!opening && `${text.stageOf(stages.indexOf(progress.stage) + 1, stages.length)}, `}
        {text.elapsed(formatDuration(Math.max(0, (now - began) / 1000)))}
      </p>
      <Button onClick={onCancel}>{text.cancel}</Button>
    </div>
  );
}
