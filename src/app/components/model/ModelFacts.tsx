import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { ProgressBar } from '../../ui/Progress';
import { formatBytes, formatCompact, formatCount } from '../../util/format';

/** What is known about the chosen model, or how far its loading is. */
export function ModelFacts() {
  const { status, info, error, loaded, total, source, open } = useModel();
  const builtin = useRecipe((state) => state.recipe.model.source === 'builtin:stories');
  const set = useRecipe((state) => state.set);
  if (status === 'failed' && error) {
    return (
      <ErrorNotice
        error={error}
        actions={
          <>
            {source && <Button onClick={() => open(source)}>Try again</Button>}
            {!builtin && <Button onClick={() => set({ 'model.source': undefined })}>Use the built-in model</Button>}
          </>
        }
      />
    );
  }
  if (!info) {
    const text = total > 0 ? `${formatBytes(loaded)} of ${formatBytes(total)}` : 'Starting the engine';
    return (
      <Panel title="Opening the model">
        <ProgressBar label="Model loaded" value={total > 0 ? loaded / total : null} text={text} />
        <p className="mt-2 text-muted">{text}</p>
      </Panel>
    );
  }
  return (
    <Panel title={info.title}>
      <Facts
        columns={4}
        facts={[
          {
            name: 'Architecture',
            value: info.architecture,
            note: `${info.layers} layers, width ${formatCount(info.hiddenSize)}`,
          },
          { name: 'Parameters', value: formatCompact(info.parameters), note: `stored as ${info.dtype}` },
          { name: 'Size', value: formatBytes(info.bytes) },
          { name: 'Licence', value: info.licence || 'not stated' },
          { name: 'Context', value: `${formatCount(info.contextLength)} tokens` },
          { name: 'Vocabulary', value: `${formatCount(info.vocabSize)} tokens` },
          {
            name: 'Chat template',
            value: info.hasChatTemplate ? 'yes' : 'none',
            note: info.hasChatTemplate ? undefined : 'a plain one is used',
          },
          {
            name: 'Layers that LoRA can join',
            value: <span className="font-mono text-[0.8125rem]">{info.linearModules.join(', ')}</span>,
          },
        ]}
      />
    </Panel>
  );
}
