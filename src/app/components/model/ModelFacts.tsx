import { ExternalLink } from 'lucide-react';
import { useHub } from '../../../stores/hub';
import { useModel } from '../../../stores/model';
import { useRecipe } from '../../../stores/recipe';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { ErrorNotice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { ProgressBar } from '../../ui/Progress';
import { formatBytes, formatCompact, formatCount } from '../../util/format';
import { precisionNames } from './Fit';

/** Where the open model came from, with the commit where it is one of the Hub. */
function Origin({ source }: { source: string }) {
  const hub = /^hf:([\w.-]+\/[\w.-]+)(?:@([\w.-]+))?(?:\/(.+))?$/.exec(source);
  const endpoint = useHub((state) => state.settings.endpoint);
  if (!hub) return source.startsWith('builtin:') ? 'comes with Tabtune' : 'your disk, kept in this browser';
  const [, id, commit = 'main', file] = hub;
  return (
    <>
      <a
        className="break-all underline underline-offset-2"
        href={`${endpoint}/${id}/tree/${commit}`}
        target="_blank"
        rel="noreferrer"
      >
        {id} <ExternalLink aria-hidden size={12} className="inline" />
      </a>
      <span className="block text-[0.8125rem] font-normal text-muted">
        {file && `${file}, `}commit {commit.slice(0, 8)}
      </span>
    </>
  );
}

/** What is known about the chosen model, or how far its loading is. */
export function ModelFacts() {
  const { status, info, error, loaded, total, source, open } = useModel();
  const builtin = useRecipe((state) => state.recipe.model.source === 'builtin:stories');
  const model = useRecipe((state) => state.recipe.model);
  const { quantization } = model;
  const set = useRecipe((state) => state.set);
  const look = useHub((state) => state.look);
  if (status === 'failed' && error) {
    return (
      <ErrorNotice
        error={error}
        actions={
          <>
            {source?.startsWith('hf:') && (
              <Button variant="primary" onClick={() => void look(source)}>
                Look at it on the Hub
              </Button>
            )}
            {source && <Button onClick={() => open(model)}>Try again</Button>}
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
          {
            name: 'Parameters',
            value: formatCompact(info.parameters),
            note: `${formatBytes(info.bytes)}, stored as ${info.dtype}`,
          },
          {
            name: 'On the GPU',
            value: quantization === 'none' ? info.dtype : precisionNames[quantization],
            note: quantization === 'none' ? 'as it comes' : `quantised from ${info.dtype}`,
          },
          { name: 'From', value: <Origin source={info.source} /> },
          { name: 'Licence', value: info.licence || 'not stated' },
          {
            name: 'Context',
            value: `${formatCount(info.contextLength)} tokens`,
            note: `${formatCount(info.vocabSize)} in the vocabulary`,
          },
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
