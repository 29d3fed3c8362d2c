import { sorts, useCompare } from '../../stores/compare';
import { AdapterPanel } from '../components/compare/AdapterPanel';
import { Answers } from '../components/compare/Answers';
import { ExportPanel } from '../components/compare/ExportPanel';
import { GenerationSettings } from '../components/compare/GenerationSettings';
import { PromptForm } from '../components/compare/PromptForm';
import { ErrorNotice } from '../ui/Notice';
import { Page } from '../ui/Page';
import { Panel } from '../ui/Panel';

export function ComparePage() {
  const error = useCompare((state) => state.error);
  const sorting = useCompare((state) => sorts(state.adapter));
  return (
    <Page
      title="Compare & Export"
      lead={
        sorting
          ? 'The same text to the model before and after. If you like what you see, take it away.'
          : 'The same prompt to the model before and after. If you like what you hear, take it away.'
      }
    >
      <Panel title="Ask">
        <PromptForm />
        {/* A classifier's answer has one setting, the strength, which stands with the adapter. */}
        {!sorting && (
          <details className="mt-4">
            <summary className="inline-block py-0.5 text-[0.8125rem] text-muted underline underline-offset-2">
              How they answer: temperature, seed, strength
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
