import { sorts, useCompare } from '../../stores/compare';
import { AdapterPanel } from '../components/compare/AdapterPanel';
import { Answers } from '../components/compare/Answers';
import { ExportPanel } from '../components/compare/ExportPanel';
import { GenerationSettings } from '../components/compare/GenerationSettings';
import { PromptForm } from '../components/compare/PromptForm';
import { compareText as text } from '../text/compare';
import { ErrorNotice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { Panel } from '../ui/Panel';

export function ComparePage() {
  const error = useCompare((state) => state.error);
  const sorting = useCompare((state) => sorts(state.adapter));
  return (
    <Page name="compare" lead={sorting ? text.sortingLead : undefined}>
      <Panel title={text.ask}>
        <PromptForm />
        {/* A classifier has one setting, the strength, which is in the adapter panel. */}
        {!sorting && (
          <details className="mt-4">
            <summary className="inline-block py-0.5 text-[0.8125rem] text-muted underline underline-offset-2">
              {text.settings}
            </summary>
            <div className="mt-3">
              <GenerationSettings />
            </div>
          </details>
        )}
      </Panel>
      {error && <ErrorNotice error={error} onDismiss={() => useCompare.setState({ error: null })} />}
      <Answers />
      <AdapterPanel />
      <ExportPanel />
    </Page>
  );
}
