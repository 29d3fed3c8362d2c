import { useEffect } from 'react';
import { useComparing } from '../../stores/comparing';
import { modelReady, useModel } from '../../stores/model';
import { useRuns } from '../../stores/runs';
import { AdapterPanel } from '../components/compare/AdapterPanel';
import { Answers } from '../components/compare/Answers';
import { EvaluationPanel } from '../components/compare/EvaluationPanel';
import { ExportPanel } from '../components/compare/ExportPanel';
import { ForgettingPanel } from '../components/compare/ForgettingPanel';
import { GenerationSettings, Strength } from '../components/compare/GenerationSettings';
import { LayersPanel } from '../components/compare/LayersPanel';
import { PromptForm } from '../components/compare/PromptForm';
import { PromptSets } from '../components/compare/PromptSets';
import { useColumns } from '../components/compare/useColumns';
import { VotesPanel } from '../components/votes/VotesPanel';
import { useRoute } from '../hooks/useRoute';
import { compareText as text } from '../text/comparing';
import { ErrorNotice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { Panel } from '../ui/Panel';
import { EXPORT_PANEL, focusIn } from '../util/route';

/** `#/compare/RUN,RUN` compares these runs, once the model is open that they belong to. */
function useAddress(): void {
  const { page, detail } = useRoute();
  const compareRuns = useComparing((state) => state.compareRuns);
  const ready = useModel(modelReady) && page === 'compare';
  const known = useRuns((state) => state.known);
  useEffect(() => {
    if (ready && known && detail !== '') void compareRuns(detail.split(','));
  }, [ready, known, detail, compareRuns]);
}

export function ComparePage() {
  useAddress();
  const error = useComparing((state) => state.error);
  const { task } = useColumns();
  const sorting = task === 'sorts';
  return (
    <Page name="compare" aside={<Jumps />}>
      <Panel title={text.ask}>
        <PromptForm />
        <details className="mt-4">
          <summary className="inline-block py-0.5 text-[0.8125rem] text-muted underline underline-offset-2">
            {sorting ? text.sortingSettings : text.settings}
          </summary>
          {/* A classifier has no temperature. */}
          <div className="mt-3">{sorting ? <Strength /> : <GenerationSettings />}</div>
        </details>
      </Panel>
      {error && <ErrorNotice error={error} onDismiss={() => useComparing.setState({ error: null })} />}
      <Answers />
      <VotesPanel />
      <PromptSets />
      <EvaluationPanel />
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <ForgettingPanel />
        <LayersPanel />
      </div>
      <AdapterPanel />
      <ExportPanel />
    </Page>
  );
}

/** The page is long; these lead to its parts. */
function Jumps() {
  const jump = (id: string) => {
    const part = document.getElementById(id);
    if (!part) return;
    part.scrollIntoView();
    focusIn(part);
  };
  const parts: [id: string, name: string][] = [
    ['votes', text.jumps.votes],
    ['sets', text.jumps.sets],
    ['held-out', text.jumps.heldOut],
    ['forgetting', text.jumps.forgetting],
    ['layers', text.jumps.layers],
    [EXPORT_PANEL, text.jumps.export],
  ];
  return (
    <nav aria-label={text.jump} className="flex flex-wrap gap-x-3 gap-y-1 text-[0.8125rem]">
      {parts.map(([id, name]) => (
        <button
          key={id}
          type="button"
          onClick={() => jump(id)}
          className="min-h-6 text-accent underline underline-offset-2"
        >
          {name}
        </button>
      ))}
    </nav>
  );
}
